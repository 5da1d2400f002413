import * as z from 'zod';
import { SerialField } from '../../fleet/fields.ts';
import { validationFailed } from '../../http/field-faults.ts';
import type { Stretch } from './read-runs.ts';

const DAY_MS = 24 * 60 * 60_000;
/** For as long as rows are kept. */
export const MOST_DAYS_OF_ROWS = 400;
/** Roll-ups and days are kept while a device is owned. */
export const MOST_DAYS = 4_000;
const USUAL_DAYS = 30;
/** A phone that asks for the last 400 days counts them by its own clock. */
const SLACK_MS = 60 * 60_000;
/** The year 5138: nothing that dates can't hold. */
const LATEST = 1e14;

export const DeviceParams = z.object({ serial: SerialField });

const TimeParam = z
  .string()
  .regex(/^\d{1,15}$/, 'milliseconds since 1970')
  .transform(Number)
  .refine((at) => at <= LATEST, 'milliseconds since 1970')
  .meta({ description: 'Milliseconds since 1970' });

export const StretchFields = {
  from: TimeParam.optional(),
  to: TimeParam.optional(),
};

export const ChannelParam = z
  .string()
  .regex(/^[0-7]$/, '0 to 7')
  .transform(Number)
  .optional();

export const Milliseconds = z.number().meta({ description: 'Milliseconds since 1970' });

/** What is asked for; by default the 30 days until `to`, which is now by default. */
export function stretchOf(
  { from, to }: { readonly from?: number | undefined; readonly to?: number | undefined },
  now: number,
  mostDays: number,
): Stretch {
  const end = to ?? now;
  const stretch = { from: from ?? Math.max(0, end - USUAL_DAYS * DAY_MS), to: end };
  if (stretch.from > stretch.to) throw refused('from', 'not after `to`');
  if (stretch.to - stretch.from > mostDays * DAY_MS + SLACK_MS)
    throw refused('from', `at most ${mostDays} days before \`to\``);
  return stretch;
}

export function refused(field: string, message: string) {
  return validationFailed([{ in: 'query', field, message }], 'person');
}
