import { LinkLostError } from '../link/transport.ts';
import { BackendError } from '../phone/api-calls.ts';
import type { GardenReach } from './garden-reach.ts';
import { visitGarden } from './garden-visit.ts';
import { Gathering } from './gathering.ts';
import type { RunWatch } from './run-watch.ts';
import { advanced, FROM_THE_BEGINNING, type SyncCursor } from './sync-cursor.ts';
import { isRefusedForGood, type TelemetryClient } from './telemetry-client.ts';
import { joinedBodies, type UploadBody, uploadBodies } from './upload-bodies.ts';

/** What a phone or hub keeps of its devices over a restart. */
export interface SyncRecord {
  /** By serial. */
  readonly cursors: Readonly<Record<string, SyncCursor>>;
  /** Not sent yet, oldest first. */
  readonly unsent: readonly UploadBody[];
}

export const EMPTY_SYNC_RECORD: SyncRecord = { cursors: {}, unsent: [] };

export interface SyncMemory {
  readonly now: SyncRecord;
  change(how: (record: SyncRecord) => SyncRecord): Promise<void>;
}

/** Survives no restart. */
export function memorySyncMemory(): SyncMemory {
  let record = EMPTY_SYNC_RECORD;
  return {
    get now() {
      return record;
    },
    async change(how) {
      record = how(record);
    },
  };
}

export interface GardenSyncOptions {
  readonly memory: SyncMemory;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Of this phone or hub, in the ids of its visits: letters, digits, `-` and `_`. */
  readonly name: string;
  /** The owner's, such as `Europe/Bucharest`. */
  readonly timeZone?: string;
}

export interface GardenSyncVisit {
  readonly serial: string;
  readonly reach: GardenReach;
  /** What the visitor does once all is read. Default: it leaves. */
  readonly stay?: (watch: RunWatch) => Promise<void>;
}

export interface SyncOutcome {
  readonly gathered: Gathering;
  /** What could not be read, by kind. */
  readonly failures: readonly string[];
  /** Whether the connection ended before all was read. */
  readonly isCut: boolean;
}

export interface SentOutcome {
  readonly sent: number;
  readonly stored: number;
  readonly known: number;
  readonly refused: number;
  /** Why the rest waits. */
  readonly trouble: BackendError | undefined;
}

/** More than this is not kept for a network that does not come: the device's rings hold the rows for weeks. */
const MOST_UNSENT = 100;

/**
 * A phone's or hub's sync of its devices' gardens: what it reads goes into its memory first, and from there to the account
 * when there is a network. What is read is not read again, unless the account says that it lacks it.
 */
export class GardenSync {
  readonly #options: GardenSyncOptions;

  constructor(options: GardenSyncOptions) {
    this.#options = options;
  }

  /** How many uploads wait. */
  get unsent(): number {
    return this.#options.memory.now.unsent.length;
  }

  /** Visits a device. The connection stays open. */
  async visit({ serial, reach, stay }: GardenSyncVisit): Promise<SyncOutcome> {
    const { memory, name, timeZone } = this.#options;
    const cursor = memory.now.cursors[serial] ?? FROM_THE_BEGINNING;
    const gathered = new Gathering();
    const visitId = `${name}.${Math.floor(reach.now())}`;
    let failures: readonly string[] = [];
    let isCut = false;
    try {
      failures = await visitGarden({ reach, cursor, into: gathered, visitId, stay });
    } catch (error) {
      if (!(error instanceof LinkLostError)) throw error;
      isCut = true;
    } finally {
      if (!gathered.isEmpty) {
        const bodies = uploadBodies(gathered, { serial, visitId, timeZone });
        await memory.change(({ cursors, unsent }) => ({
          cursors: { ...cursors, [serial]: advanced(cursor, gathered.reads) },
          unsent: withBodies(unsent, bodies).slice(-MOST_UNSENT),
        }));
      }
    }
    return { gathered, failures, isCut };
  }

  /** Sends what waits, oldest first, until the network fails. */
  async send(client: TelemetryClient): Promise<SentOutcome> {
    const { memory, now } = this.#options;
    const sum = { sent: 0, stored: 0, known: 0, refused: 0 };
    for (let body = memory.now.unsent[0]; body !== undefined; body = memory.now.unsent[0]) {
      const { serial } = body;
      const first = body;
      let cursor: SyncCursor | undefined;
      try {
        const uploaded = await client.upload(body, Math.floor(now()));
        cursor = uploaded.cursor;
        sum.sent += 1;
        sum.stored += uploaded.stored;
        sum.known += uploaded.known;
        sum.refused += uploaded.refused;
      } catch (error) {
        if (!(error instanceof BackendError)) throw error;
        if (!isRefusedForGood(error)) return { ...sum, trouble: error };
        sum.refused += 1;
      }
      await memory.change(({ cursors, unsent }) => {
        const rest = unsent.filter((one) => one !== first);
        // What the account says counts once it has everything.
        const isLast = cursor !== undefined && !rest.some((one) => one.serial === serial);
        return { unsent: rest, cursors: isLast && cursor !== undefined ? { ...cursors, [serial]: cursor } : cursors };
      });
    }
    return { ...sum, trouble: undefined };
  }
}

/** Adds to what waits; what can be one upload becomes one. */
function withBodies(unsent: readonly UploadBody[], bodies: readonly UploadBody[]): readonly UploadBody[] {
  const all = [...unsent];
  for (const body of bodies) {
    const last = all.at(-1);
    const joined = last && joinedBodies(last, body);
    if (joined === undefined) all.push(body);
    else all[all.length - 1] = joined;
  }
  return all;
}
