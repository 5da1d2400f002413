import { LinkLostError } from '../../link/transport.ts';
import { GardenSync, memorySyncMemory, type SentOutcome } from '../../sync/garden-sync.ts';
import { visitGarden } from '../../sync/garden-visit.ts';
import { Gathering } from '../../sync/gathering.ts';
import { advanced, FROM_THE_BEGINNING, type SyncCursor } from '../../sync/sync-cursor.ts';
import type { TelemetryClient } from '../../sync/telemetry-client.ts';

/** Of sending the rest, at the end. */
const MOST_TRIES = 10;

/** One of a home's phones: it reads the device, and brings what it read when it has a network. */
export interface HomePhone extends Pick<GardenSync, 'visit'> {
  /** Sends what waits. What does not get through is kept, and sent with what comes next. */
  send(): Promise<Pick<SentOutcome, 'refused' | 'trouble'>>;
}

export interface HomePhoneOptions {
  /** In the ids of its visits. */
  readonly name: string;
  /** Where it brings what it reads. Default: nowhere; it then keeps only how far it got. */
  readonly client: TelemetryClient | undefined;
  /** The clock at which uploads are sent, in milliseconds since 1970. */
  readonly now: () => number;
}

export function homePhone({ name, client, now }: HomePhoneOptions): HomePhone {
  if (client === undefined) return phoneWithoutNetwork(name);
  const sync = new GardenSync({ memory: memorySyncMemory(), now, name, timeZone: 'Europe/Bucharest' });
  return { visit: (visit) => sync.visit(visit), send: () => sync.send(client) };
}

/**
 * Sends until nothing waits.
 *
 * @param pause called before what failed is sent again
 * @returns how many uploads the backend refused for good
 * @throws BackendError when it fails again and again
 */
export async function sendAll(phone: HomePhone, pause?: () => Promise<unknown>): Promise<number> {
  let refused = 0;
  for (let tries = 1; ; tries += 1) {
    const sent = await phone.send();
    refused += sent.refused;
    if (sent.trouble === undefined) return refused;
    if (tries === MOST_TRIES) throw sent.trouble;
    await pause?.();
  }
}

function phoneWithoutNetwork(name: string): HomePhone {
  let cursor: SyncCursor = FROM_THE_BEGINNING;
  return {
    async visit({ reach, stay }) {
      const into = new Gathering();
      const visitId = `${name}.${Math.floor(reach.now())}`;
      let failures: readonly string[] = [];
      let isCut = false;
      try {
        failures = await visitGarden({ reach, cursor, into, visitId, stay });
      } catch (error) {
        if (!(error instanceof LinkLostError)) throw error;
        isCut = true;
      }
      cursor = advanced(cursor, into.reads);
      return { gathered: into, failures, isCut };
    },
    send: async () => ({ refused: 0, trouble: undefined }),
  };
}
