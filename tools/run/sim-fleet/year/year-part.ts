import {
  drawHousehold,
  joinSummaries,
  liveYear,
  NO_YEARS,
  summaryOf,
  type YearSummary,
} from '@autowatering/firmware-sim';

/** A part of a fleet: devices by their numbers, from 0. */
export interface YearPart {
  readonly from: number;
  readonly until: number;
  readonly seed: number;
  /** Milliseconds since 1970. */
  readonly startsAt: number;
  readonly days: number;
}

/** Lets these devices live through their days. The same part gives the same summary. */
export async function liveThrough(
  { from, until, seed, startsAt, days }: YearPart,
  onDevice: () => void,
  signal?: AbortSignal,
): Promise<YearSummary> {
  let summary = NO_YEARS;
  for (let index = from; index < until; index += 1) {
    const household = drawHousehold({ seed: seed * 1_000_003 + index, startsAt, days });
    const year = await liveYear({ household, days, serial: `sim-${index + 1}`, ...(signal && { signal }) });
    summary = joinSummaries(summary, summaryOf(year));
    onDevice();
  }
  return summary;
}
