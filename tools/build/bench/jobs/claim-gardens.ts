import pMap from 'p-map';
import * as z from 'zod';

type Headers = Readonly<Record<string, string>>;

/** Sends a body and returns the answer's. @throws Error if it is refused */
export type AskJson = (path: string, headers: Headers, body: object) => Promise<unknown>;

export interface ClaimedGarden {
  readonly serial: string;
  readonly headers: Headers;
}

const Made = z.object({ serial: z.string(), claim_code: z.string() });
const AT_ONCE = 4;

/** Makes devices and has each claimed by an owner of its own. */
export function claimGardens(
  ask: AskJson,
  count: number,
  headersOf: (index: number) => Headers,
  factory: Headers,
): Promise<readonly ClaimedGarden[]> {
  return pMap(
    Array.from({ length: count }, (_, index) => index),
    async (index) => {
      const hwId = `BE7C5${String(index).padStart(7, '0')}`;
      const made = Made.parse(await ask('/provision', factory, { hw_id: hwId, status: 'active' }));
      const headers = headersOf(index);
      await ask('/claimDevice', headers, { serial: made.serial, claim_code: made.claim_code });
      return { serial: made.serial, headers };
    },
    { concurrency: AT_ONCE },
  );
}
