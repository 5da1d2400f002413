import { randomInt } from 'node:crypto';

/** Whether there is time for every case: nightly. The suite takes a fixed part of the longest enumerations. */
export const isThorough = process.env['TEST_THOROUGHLY'] === '1';

/** Of a long row of steps, which are tried: all of them nightly, otherwise every third from a random one on. */
export function stepsToTry(): { readonly from: number; readonly every: number } {
  return isThorough ? { from: 0, every: 1 } : { from: randomInt(3), every: 3 };
}
