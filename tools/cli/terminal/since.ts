import { InvalidArgumentError } from 'commander';

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Parses `90m`, `2h`, `3d` or a date into an RFC 3339 timestamp. */
export function parseSince(text: string, now: number = Date.now()): string {
  const [, count = '', unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  const span = UNIT_MS[unit];
  if (span !== undefined) return new Date(now - Number(count) * span).toISOString();
  const date = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(date))
    throw new InvalidArgumentError('Expected a span like 90m, 2h or 3d, or a date like 2026-11-20T08:00Z.');
  return new Date(date).toISOString();
}
