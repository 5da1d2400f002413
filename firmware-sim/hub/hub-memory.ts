import { randomUUID } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { OutboxEntry } from '@autowatering/relay-client';
import * as z from 'zod';
import type { Report } from '../phone/backend-client.ts';
import type { SyncRecord } from '../sync/garden-sync.ts';

/** Where a hub is a peer, as told by the phone that registered it. */
export interface HubPeer {
  readonly peerId: string;
  readonly apiUrl: string;
  readonly relayUrl: string;
}

/** An update that was begun and not finished yet. */
export interface HubAttempt {
  readonly updateId: string;
  readonly version: string;
  /** What the device ran before, as `1.0.0`. */
  readonly fromVersion: string;
  /** The current try, from 1. The backend counts each by itself. */
  readonly tries: number;
  /** Whether the others were told that it began. */
  readonly isTold: boolean;
}

/** Everything that a hub keeps over a restart. */
export interface HubRecord {
  readonly key: { readonly privateKey: string; readonly publicKey: string };
  readonly peer?: HubPeer | undefined;
  /** The relay server's keys, by their ids. */
  readonly serverKeys?: Readonly<Record<string, string>> | undefined;
  /** By serial. */
  readonly attempts: Readonly<Record<string, HubAttempt>>;
  /** Not sent yet. */
  readonly reports: readonly Report[];
  readonly outbox: readonly OutboxEntry[];
  /** How far gardens were read, and what was not sent yet. */
  readonly sync?: SyncRecord | undefined;
}

/** A place that survives a restart. */
export interface HubMemory {
  load(): Promise<HubRecord | undefined>;
  save(record: HubRecord): Promise<void>;
  /** Removes everything, keys included. */
  forget(): Promise<void>;
}

/** Survives the hub, though not the process. */
export function memoryHubMemory(): HubMemory {
  let kept: string | undefined;
  return {
    load: async () => (kept === undefined ? undefined : parseRecord(kept)),
    async save(record) {
      kept = JSON.stringify(record);
    },
    async forget() {
      kept = undefined;
    },
  };
}

/** A file that only its user can read, written as a whole or not at all. */
export function fileHubMemory(file: string): HubMemory {
  return {
    async load() {
      try {
        return parseRecord(await readFile(file, 'utf8'));
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
        throw error;
      }
    },
    async save(record) {
      const next = `${file}.${randomUUID()}`;
      await writeFile(next, JSON.stringify(record), { mode: 0o600, flush: true });
      await rename(next, file);
    },
    forget: () => rm(file, { force: true }),
  };
}

const Keys = z.record(z.string(), z.string());

const HubRecordShape = z.object({
  key: z.object({ privateKey: z.string(), publicKey: z.string() }),
  peer: z.object({ peerId: z.string(), apiUrl: z.string(), relayUrl: z.string() }).optional(),
  serverKeys: Keys.optional(),
  attempts: z.record(
    z.string(),
    z.object({
      ...{ updateId: z.string(), version: z.string(), fromVersion: z.string() },
      ...{ tries: z.int().positive(), isTold: z.boolean() },
    }),
  ),
  // Written by this module from typed values.
  reports: z.array(z.custom<Report>((value) => typeof value === 'object' && value !== null)),
  outbox: z.array(z.custom<OutboxEntry>((value) => typeof value === 'object' && value !== null)),
  sync: z.custom<SyncRecord>((value) => typeof value === 'object' && value !== null).optional(),
});

function parseRecord(text: string): HubRecord {
  return HubRecordShape.parse(JSON.parse(text));
}

/** The record of a running hub. Every change is in the memory when its promise resolves; changes follow each other. */
export class KeptRecord {
  readonly #memory: HubMemory;
  #record: HubRecord;
  #saving: Promise<void> = Promise.resolve();
  #isForgotten = false;

  constructor(memory: HubMemory, record: HubRecord) {
    this.#memory = memory;
    this.#record = record;
  }

  get now(): HubRecord {
    return this.#record;
  }

  change(how: (record: HubRecord) => Partial<HubRecord>): Promise<void> {
    if (this.#isForgotten) return this.#saving;
    this.#record = { ...this.#record, ...how(this.#record) };
    const record = this.#record;
    this.#saving = this.#saving.catch(() => {}).then(() => this.#memory.save(record));
    return this.#saving;
  }

  /** Waits for the changes so far. */
  settled(): Promise<void> {
    return this.#saving;
  }

  /** Nothing is saved any more, whatever still runs. */
  forget(): Promise<void> {
    this.#isForgotten = true;
    this.#saving = this.#saving.catch(() => {}).then(() => this.#memory.forget());
    return this.#saving;
  }
}
