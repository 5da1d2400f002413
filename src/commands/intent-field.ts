import { CHANNELS, type Intent, MOST_LITRES, MOST_MINUTES } from '@autowatering/device-data';
import * as z from 'zod';

const Channel = z
  .int()
  .min(0)
  .max(CHANNELS - 1)
  .meta({ description: 'From 0' });
const Minutes = z.int().min(1).max(MOST_MINUTES);
const Litres = z.int().min(1).max(MOST_LITRES);
const Amount = z.union([z.strictObject({ minutes: Minutes }), z.strictObject({ litres: Litres })]);

const water = { kind: z.literal('water'), channel: Channel };

const Schedule = z
  .strictObject({
    repeats: z.enum(['weekly', 'every_n_days', 'automatic']),
    days: z.int().min(0).max(127).exactOptional().meta({ description: 'Of weekly: bit 0 is Sunday' }),
    interval_days: z.int().min(1).max(255).exactOptional(),
    hour: z.int().min(0).max(23),
    minute: z.int().min(0).max(59),
    amount: Amount,
    enabled: z.boolean(),
    solar: z
      .strictObject({ event: z.enum(['sunset', 'sunrise']), offset_minutes: z.int().min(-120).max(120) })
      .exactOptional(),
  })
  .refine(({ repeats, days }) => (repeats === 'weekly') === (days !== undefined), 'days for weekly, and only then')
  .refine(
    ({ repeats, interval_days }) => (repeats === 'every_n_days') === (interval_days !== undefined),
    'interval_days for every_n_days, and only then',
  );

const DstChange = z.strictObject({
  month: z.int().min(1).max(12),
  week: z.int().min(1).max(5).meta({ description: '5 is the last of the month' }),
  day: z.int().min(0).max(6).meta({ description: '0 is Sunday' }),
});

const TimeZone = z.strictObject({
  utc_offset_minutes: z.int().min(-720).max(840),
  dst: z
    .strictObject({ offset_minutes: z.int().min(-120).max(120), start: DstChange, end: DstChange })
    .nullable()
    .meta({ description: 'The rule of summer time; null without one' }),
});

const plain = (kind: 'stop' | 'pause' | 'resume' | 'start_next' | 'clear_queue' | 'clear_alarm') =>
  z.strictObject({ kind: z.literal(kind) });

/** What a client may ask for: the device's commands that are safe to give from afar. */
export const IntentField: z.ZodType<Intent> = z.union([
  z.strictObject({ ...water, minutes: Minutes }),
  z.strictObject({ ...water, litres: Litres }),
  ...(['stop', 'pause', 'resume', 'start_next', 'clear_queue', 'clear_alarm'] as const).map(plain),
  z.strictObject({ kind: z.literal('skip_next'), channel: Channel, at: z.int().min(0) }),
  z.strictObject({ kind: z.literal('set_schedule'), channel: Channel, schedule: Schedule }),
  z.strictObject({ kind: z.literal('set_clock'), time_zone: TimeZone }),
  z.strictObject({ kind: z.literal('set_time_zone'), time_zone: TimeZone }),
  z.strictObject({ kind: z.literal('reset_channel'), channel: Channel, what: z.enum(['channel', 'schedule']) }),
]);
