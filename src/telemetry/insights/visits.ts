import type { Observed } from './observed.ts';

const TOGETHER_MS = 60 * 60_000;

/** When phones were near the device, the oldest first: what is read within an hour is one visit. */
export function visitsIn({ readings, wateringRows, rainHours, weatherHours, to }: Observed): readonly number[] {
  const times = [...readings, ...wateringRows, ...rainHours, ...weatherHours]
    .map(({ readAt }) => readAt)
    .filter((at) => at <= to)
    .sort((one, other) => one - other);
  const visits: number[] = [];
  let before = Number.NEGATIVE_INFINITY;
  for (const at of times) {
    if (at - before > TOGETHER_MS) visits.push(at);
    else visits[visits.length - 1] = at;
    before = at;
  }
  return visits;
}
