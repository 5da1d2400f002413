import type { Services } from '../../platform/services.ts';
import { createHealthStore } from './health-store.ts';

export interface VersionAlarmDays {
  readonly version: string;
  /** Days on which devices were heard of. */
  readonly deviceDays: number;
  /** Those with an alarm of danger and worse, frost left out. */
  readonly withAlarms: number;
}

/** How often a board's devices had alarms, by version, from a day on (UTC, such as `2026-06-01`). */
export async function alarmDays(
  services: Pick<Services, 'config' | 'documents' | 'randomness'>,
  board: string,
  firstDay: string,
): Promise<readonly VersionAlarmDays[]> {
  const versions = await createHealthStore(services).since(firstDay);
  return versions
    .filter((one) => one.board === board)
    .map(({ version, counts }) => ({
      version,
      deviceDays: counts.device_days,
      withAlarms: counts.device_days_with_alarms,
    }));
}
