import { type Intent, MOST_LITRES, MOST_MINUTES, type WaterAmount } from '@autowatering/device-data';
import { DAY_MS, type Usage } from './queue.ts';

/** What an account allows its devices to be told from afar. The device has no such limits of its own. */
export interface SafetyLimits {
  readonly longestRunMinutes: number;
  readonly longestRunLitres: number;
  /** Of one channel in any 24 hours. */
  readonly minutesADay: number;
  readonly litresADay: number;
}

export const STANDARD_LIMITS: SafetyLimits = {
  longestRunMinutes: 120,
  longestRunLitres: 300,
  minutesADay: 240,
  litresADay: 600,
};

/** More than this can't be allowed: a day has no more minutes, and the device takes 1,000 litres a run. */
export const GREATEST_LIMITS: SafetyLimits = {
  longestRunMinutes: MOST_MINUTES,
  longestRunLitres: MOST_LITRES,
  minutesADay: MOST_MINUTES,
  litresADay: 5 * MOST_LITRES,
};

export interface Exceeded {
  readonly limit: 'longest_run_minutes' | 'longest_run_litres' | 'minutes_a_day' | 'litres_a_day';
  readonly most: number;
  /** Of the last 24 hours, for limits of a day. */
  readonly used: number;
}

/** The limit that an intent would exceed. A schedule's runs have the limit of a run; what they use is not counted. */
export function exceeded(
  intent: Intent,
  used: readonly Usage[],
  limits: SafetyLimits,
  now: number,
): Exceeded | undefined {
  if (intent.kind === 'set_schedule') {
    return intent.schedule.enabled ? tooLong(amountOf(intent.schedule.amount), limits) : undefined;
  }
  if (intent.kind !== 'water') return undefined;
  const amount = amountOf(intent);
  const sum = (unit: 'minutes' | 'litres') =>
    used
      .filter(({ channel, at }) => channel === intent.channel && at > now - DAY_MS)
      .reduce((total, usage) => total + usage[unit], 0);
  const [minutes, litres] = [sum('minutes'), sum('litres')];
  return (
    tooLong(amount, limits) ??
    (minutes + amount.minutes > limits.minutesADay
      ? { limit: 'minutes_a_day', most: limits.minutesADay, used: minutes }
      : litres + amount.litres > limits.litresADay
        ? { limit: 'litres_a_day', most: limits.litresADay, used: litres }
        : undefined)
  );
}

function tooLong({ minutes, litres }: ReturnType<typeof amountOf>, limits: SafetyLimits): Exceeded | undefined {
  if (minutes > limits.longestRunMinutes) {
    return { limit: 'longest_run_minutes', most: limits.longestRunMinutes, used: 0 };
  }
  if (litres > limits.longestRunLitres) return { limit: 'longest_run_litres', most: limits.longestRunLitres, used: 0 };
  return undefined;
}

export function amountOf(amount: WaterAmount): { readonly minutes: number; readonly litres: number } {
  return 'minutes' in amount ? { minutes: amount.minutes, litres: 0 } : { minutes: 0, litres: amount.litres };
}
