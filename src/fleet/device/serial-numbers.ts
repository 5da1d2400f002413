import { createSharedCalls } from '../../platform/shared-calls.ts';

const MOST_AT_ONCE = 100;

/** Takes the next `count` numbers at once and returns the last of them; undefined when fewer are left. */
export type TakeNumbers = (count: number) => Promise<number | undefined>;

export interface SerialNumbers {
  /** The next number, which nobody else gets; undefined when all are used up. */
  take(): Promise<number | undefined>;
  /** Keeps a number for the next caller. Only for one that is certainly on no device and never will be. */
  giveBack(number: number): void;
}

/**
 * Gives one number to each caller. Callers that arrive while numbers are being taken share the next take, because all
 * takes meet at one counter. It takes only as many numbers as were requested.
 */
export function createSerialNumbers(takeNumbers: TakeNumbers): SerialNumbers {
  const returned: number[] = [];
  const takeNext = createSharedCalls<undefined, number | undefined>(MOST_AT_ONCE, async ({ length: count }) => {
    const last = await takeNumbers(count);
    if (last !== undefined) return Array.from({ length: count }, (_, index) => last - count + 1 + index);
    if (count === 1) return [undefined];
    // Fewer are left than were requested: first come, first served.
    const numbers: (number | undefined)[] = [];
    while (numbers.length < count) numbers.push(await takeNumbers(1));
    return numbers;
  });
  return {
    take: async () => returned.shift() ?? takeNext(undefined),
    giveBack(number) {
      returned.push(number);
    },
  };
}
