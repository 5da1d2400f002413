import pMap from 'p-map';
import type { Device } from '../../fleet/index.ts';
import type { Uid } from '../../platform/ids.ts';
import { createWhileOvertaken, OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import type { Reading, Row } from '../evidence.ts';
import type { ZoneTimeline } from '../rollups/local-day.ts';
import { type DeviceState, joinState, newDeviceState } from '../store/device-state.ts';
import { createGardenItems } from '../store/garden-items.ts';
import { createLook, type Found, type Look, lookUp } from '../store/lookup.ts';
import { type Merged, mergeParts } from '../store/merge.ts';
import {
  chunkItem,
  deviceItem,
  readChunkItem,
  readDeviceItem,
  readSettingsItem,
  settingsItem,
} from '../store/stored-items.ts';
import { deviceKey, devicePartition, settingsKey } from '../table-keys.ts';
import { type Batch, type Parts, toBatch } from './batch.ts';
import { MONTHS_TOGETHER, recordsAround, storeMonths } from './store-months.ts';
import type { Refusal, Upload } from './upload.ts';
import { countUpload, isUsedUp } from './upload-limit.ts';

/** What an upload changed, for whoever tells the owner of it. */
export interface Ingested {
  readonly uid: Uid;
  readonly device: Pick<Device, 'hwId' | 'serial'>;
  /** Undefined with a device's first upload. */
  readonly before: DeviceState | undefined;
  readonly after: DeviceState;
  /** Samples that were not known, such as alarms that were relayed. */
  readonly readings: readonly Reading[];
  /** Rows that were not known, or not in this version. */
  readonly rows: readonly Row[];
  readonly now: number;
}

/**
 * Is told of every upload before its end is stored: an upload that fails is repeated, and tells the same again. Whoever
 * acts on it must be able to hear things twice. May fail; the upload then fails with it.
 */
export type OnIngested = (ingested: Ingested) => Promise<void>;

export interface IngestResult {
  readonly stored: number;
  readonly known: number;
  readonly refused: readonly Refusal[];
  readonly state: DeviceState;
}

type Needed = Pick<Services, 'config' | 'documents' | 'randomness' | 'metrics'>;
export type Ingest = (
  uid: Uid,
  device: Pick<Device, 'hwId' | 'serial'>,
  upload: Upload,
  now: number,
) => Promise<IngestResult | 'too_often'>;

const AT_ONCE = 16;
const NOTHING_FOUND: Found = new Map();

/**
 * Takes uploads in. Measurements are stored one by one, on condition that nobody else changed them meanwhile, and the
 * evidence of runs with its roll-ups in one transaction; at last the samples and the device's state. Each step adds to what is
 * there and can be repeated, so an upload that failed half-way is made whole by its repetition.
 */
export function createIngest(services: Needed, onIngested: OnIngested): Ingest {
  const { randomness, metrics } = services;
  const items = createGardenItems(services);
  const whileOvertaken = createWhileOvertaken(randomness);

  /** Repeats an attempt with what was read at first, and then, when overtaken, with what is there by then. */
  const attempting = <T>(
    partition: string,
    first: Found,
    attempt: (look: Look) => Promise<T | typeof OVERTAKEN>,
  ): Promise<T> => {
    let tries = 0;
    return whileOvertaken('A telemetry upload', () => {
      tries += 1;
      if (tries > 1) metrics.count('TelemetryConflicts');
      return attempt(createLook(items, partition, tries === 1 ? first : NOTHING_FOUND, tries > 1));
    });
  };

  const storeChunks = (partition: string, chunks: ReadonlyMap<string, Parts>, first: Found): Promise<Merged[]> =>
    pMap(
      chunks,
      ([record, parts]) =>
        attempting(partition, first, async (look) => {
          const { chunk, revision } = readChunkItem((await look([record])).get(record));
          const merged = mergeParts(chunk, parts);
          if (!merged.isChanged) return merged;
          return (await items.write(chunkItem(partition, record, merged.chunk, revision))) ? merged : OVERTAKEN;
        }),
      { concurrency: AT_ONCE },
    );

  const storeEvidence = async (
    partition: string,
    batch: Batch,
    zones: ZoneTimeline,
    now: number,
    first: Found,
  ): Promise<Merged[]> => {
    const months = [...batch.months].sort(([one], [other]) => (one < other ? -1 : 1));
    const merged: Merged[] = [];
    for (let at = 0; at < Math.max(months.length, batch.lost.length && 1); at += MONTHS_TOGETHER) {
      const group = new Map(months.slice(at, at + MONTHS_TOGETHER));
      const write = { partition, months: group, lost: at === 0 ? batch.lost : [], zones, now };
      // What was read at first is out of date once the group before was written.
      const known = at === 0 ? first : NOTHING_FOUND;
      merged.push(...(await attempting(partition, known, (look) => storeMonths(write, look, items))));
    }
    return merged;
  };

  const storeState = (uid: Uid, known: DeviceState, batch: Batch, now: number, first: Found): Promise<DeviceState> => {
    const { partition, record } = deviceKey(uid, known.hwId);
    return attempting(partition, first, async (look) => {
      const { state, revision } = readDeviceItem((await look([record])).get(record));
      const joined = joinState({ ...known, ...state, serial: known.serial }, batch.news);
      const counted = { ...joined, uploads: countUpload(joined.uploads, now) };
      return (await items.write(deviceItem(uid, counted, revision))) ? counted : OVERTAKEN;
    });
  };

  /** The zone that a phone is in counts until the owner has said one. */
  const zonesOf = async (uid: Uid, found: Found, timeZone: string | undefined): Promise<ZoneTimeline> => {
    const { timeline } = readSettingsItem(found.get(settingsKey(uid).record));
    if (timeline !== undefined || timeZone === undefined) return timeline ?? [];
    const zones: ZoneTimeline = [{ since: 0, zone: timeZone }];
    if (await items.write(settingsItem(uid, zones, 0))) return zones;
    const [now] = await items.read([settingsKey(uid)], { isConsistent: true });
    return readSettingsItem(now).timeline ?? zones;
  };

  return async (uid, { hwId, serial }, upload, now) => {
    const batch = toBatch(upload, now);
    const partition = devicePartition(uid, hwId);
    const hasEvidence = batch.months.size + batch.lost.length > 0;
    const records = [
      ...batch.measurements.keys(),
      ...batch.live.keys(),
      ...(hasEvidence ? recordsAround(batch.months.keys()) : []),
    ];
    const first = await lookUp(
      items,
      [deviceKey(uid, hwId), settingsKey(uid), ...records.map((record) => ({ partition, record }))],
      false,
    );
    const { state: before } = readDeviceItem(first.get(deviceKey(uid, hwId).record));
    if (isUsedUp(before?.uploads, now)) return 'too_often';
    // What leads to a device's items is written before them: whoever deletes the account finds all of them by it.
    const begun = before === undefined && items.write(deviceItem(uid, newDeviceState(hwId, serial), 0));
    const [zones] = await Promise.all([zonesOf(uid, first, upload.timeZone), begun]);
    const [measured, evidence] = await Promise.all([
      storeChunks(partition, batch.measurements, first),
      storeEvidence(partition, batch, zones, now, first),
    ]);
    const rows = [...measured, ...evidence].flatMap(({ newRows }) => newRows);
    const known = before ?? newDeviceState(hwId, serial);
    const readings = [...batch.live].flatMap(
      ([record, parts]) => mergeParts(readChunkItem(first.get(record)).chunk, parts).newSamples,
    );
    const after = joinState(known, batch.news);
    await onIngested({ uid, device: { hwId, serial }, before, after, readings, rows, now });
    const [live, state] = await Promise.all([
      storeChunks(partition, batch.live, first),
      storeState(uid, known, batch, now, before === undefined ? NOTHING_FOUND : first),
    ]);
    const merged = [...measured, ...evidence, ...live];
    const sum = (count: (one: Merged) => number) => merged.reduce((total, one) => total + count(one), 0);
    const tooMany = sum((one) => one.tooMany);
    const stored = sum(
      ({ newRows, newSessions, newSamples }) => newRows.length + newSessions.length + newSamples.length,
    );
    const noRoom: readonly Refusal[] =
      tooMany === 0 ? [] : [{ list: 'reads', entry: null, row: null, code: 'too_many', count: tooMany }];
    return { stored, known: batch.accepted - stored - tooMany, refused: [...batch.refused, ...noRoom], state };
  };
}
