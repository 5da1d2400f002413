import type { Figures, JobFigure } from './figures.ts';

const DAYS = 30;
const HOURS = 24 * DAYS;
const YEAR_DAYS = 365;
const INVOCATIONS_AN_HOUR = 12;

/** What work by time and a device's history take, for a month after the first year. */
export interface GardenMonth {
  readonly invocations: number;
  readonly calls: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly cpuMicroseconds: number;
  /** Files of the archive that are written. */
  readonly puts: number;
  /** In the table: a year of chunks, roll-ups and state. */
  readonly storedBytes: number;
  /** In the bucket: a year. */
  readonly archivedBytes: number;
}

/** @param users each with a device that is read every day */
export function gardenMonth(users: number, { garden, jobs }: Figures): GardenMonth {
  const each = users / jobs.devices;
  const sum = (of: (work: JobFigure) => number) =>
    HOURS * of(jobs.idleHour) + DAYS * each * (of(jobs.lookOfADay) + of(jobs.archiveOfADay));
  return {
    invocations: HOURS * INVOCATIONS_AN_HOUR,
    ...{ calls: sum(({ calls }) => calls), readUnits: sum(({ readUnits }) => readUnits) },
    ...{ writeUnits: sum(({ writeUnits }) => writeUnits), cpuMicroseconds: sum((work) => work.cpuMicroseconds) },
    // Of each kind and shard a file a day, however many devices are in it.
    puts: DAYS * jobs.archiveOfADay.puts,
    storedBytes: users * storedInAYear(garden),
    archivedBytes: YEAR_DAYS * each * jobs.archiveOfADay.putBytes,
  };
}

/** What a device's history takes in the table after a year, in bytes. */
export function storedInAYear({ days, storedBytes }: Figures['garden']): number {
  return (storedBytes / days) * YEAR_DAYS;
}
