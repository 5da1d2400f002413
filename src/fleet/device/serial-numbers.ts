/** Takes the next `count` numbers at once and returns the last of them; undefined when fewer are left. */
export type TakeNumbers = (count: number) => Promise<number | undefined>;

/**
 * Gives one number to each caller. Callers that arrive while numbers are being taken share the next take, because all
 * takes meet at one counter. It takes only as many numbers as were requested.
 *
 * @returns undefined when all numbers are used up
 */
export function createSerialNumbers(take: TakeNumbers): () => Promise<number | undefined> {
  let waiting: { resolve(number: number | undefined): void; reject(error: unknown): void }[] = [];
  let isTaking = false;

  const serve = async (callers: typeof waiting): Promise<void> => {
    const last = await take(callers.length);
    if (last !== undefined) {
      for (const [index, { resolve }] of callers.entries()) resolve(last - callers.length + 1 + index);
    } else if (callers.length === 1) {
      callers[0]?.resolve(undefined);
    } else {
      // Fewer are left than were requested: first come, first served.
      for (const caller of callers) await serve([caller]);
    }
  };

  const serveAll = async (): Promise<void> => {
    isTaking = true;
    while (waiting.length > 0) {
      const callers = waiting;
      waiting = [];
      await serve(callers).catch((error: unknown) => {
        for (const { reject } of callers) reject(error);
      });
    }
    isTaking = false;
  };

  return () =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      if (!isTaking) void serveAll();
    });
}
