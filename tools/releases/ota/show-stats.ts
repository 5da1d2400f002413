import { styleText } from 'node:util';
import * as z from 'zod';
import { textTable } from '../../cli/terminal/text-table.ts';
import { stateText } from './show-release.ts';

const endings = { confirmed: z.number(), failures: z.number(), interrupted: z.number() };

export const StatsView = z.looseObject({
  version: z.string(),
  state: z.enum(['draft', 'published', 'paused', 'halted', 'withdrawn']),
  eligible: z.number(),
  reached: z.number(),
  offered: z.number(),
  on_phone: z.number(),
  uploading: z.number(),
  testing: z.number(),
  confirmed: z.number(),
  verified: z.number(),
  reverted: z.number(),
  failed: z.number(),
  finished: z.number(),
  failures: z.number(),
  failure_pct: z.number(),
  finished_failure_pct: z.number(),
  halt_policy: z.object({ min_reports: z.number(), max_failure_pct: z.number() }),
  suspect_phone_model: z.string().nullable(),
  by_error_code: z.array(z.object({ error_code: z.string(), ...endings })),
  by_phone_model: z.array(z.object({ phone_model: z.string(), ...endings })),
  by_hour: z.array(z.object({ hour: z.string(), ...endings })),
});
export type StatsView = z.output<typeof StatsView>;

const BAR_COLUMNS = 30;
const STAGES = ['reached', 'offered', 'on_phone', 'uploading', 'testing', 'confirmed', 'verified'] as const;
const MOST_HOURS = 12;

/** Formats the stages as bars, followed by the failures. */
export function statsText(stats: StatsView): string {
  const whole = Math.max(stats.eligible, stats.reached, 1);
  const bar = (count: number) => '█'.repeat(Math.round((Math.min(count, whole) / whole) * BAR_COLUMNS));
  const stages = STAGES.map((stage) => [stage.replace('_', ' '), String(stats[stage]), bar(stats[stage])]);
  const { max_failure_pct: limit, min_reports: fewest } = stats.halt_policy;
  const failures =
    `${stats.failures} of ${stats.finished} finished devices failed (${stats.finished_failure_pct} %; ` +
    `${stats.failure_pct} % of those reached). Auto-halt at ${limit} %, from ${fewest} devices.`;
  const suspect = stats.suspect_phone_model;
  const table = (title: string, name: string, rows: readonly (readonly [string, Ending])[]) =>
    rows.length === 0
      ? []
      : ['', title, indent(textTable([name, 'confirmed', 'failed', 'interrupted'], rows.map(row)))];
  return [
    `${stats.version}: ${stateText(stats.state)}, for about ${stats.eligible} devices`,
    '',
    indent(textTable(['', 'devices', ''], stages)),
    '',
    stats.failures === 0 ? failures : styleText('red', failures, { stream: process.stdout }),
    ...(suspect === null
      ? []
      : [`All failures come from one phone model: ${suspect}. The firmware may not be the cause.`]),
    ...table(
      'By error code',
      'error code',
      stats.by_error_code.map((one) => [one.error_code, one]),
    ),
    ...table(
      'By phone model',
      'phone model',
      stats.by_phone_model.map((one) => [one.phone_model, one]),
    ),
    ...table(
      'By hour (UTC)',
      'hour',
      stats.by_hour.slice(0, MOST_HOURS).map((one) => [one.hour, one]),
    ),
  ].join('\n');
}

interface Ending {
  readonly confirmed: number;
  readonly failures: number;
  readonly interrupted: number;
}

function row([name, { confirmed, failures, interrupted }]: readonly [string, Ending]): readonly string[] {
  return [name, String(confirmed), String(failures), String(interrupted)];
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
