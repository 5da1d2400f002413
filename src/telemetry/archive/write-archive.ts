import type { FleetDevices } from '../../fleet/index.ts';
import type { HwId, Uid } from '../../platform/ids.ts';
import type { Apart } from '../../platform/jobs/apart.ts';
import type { Services } from '../../platform/services.ts';
import { ROW_KINDS } from '../evidence.ts';
import type { createUploadWeeks } from '../health/upload-weeks.ts';
import { dayOf, startOfDay } from '../rows/periods.ts';
import { DAY_MS } from '../rows/row-layout.ts';
import type { GardenItems } from '../store/garden-items.ts';
import { readDeviceItem } from '../store/stored-items.ts';
import { deviceKey } from '../table-keys.ts';
import { type ArchiveKind, archiveKey, SHARDS, shardOf } from './archive-keys.ts';
import type { ArchivePlace, ArchiveProgress } from './archive-progress.ts';
import { ARCHIVE_KINDS, ARCHIVE_TABLES, archivedRow, archivedSample, archivedSession } from './archive-tables.ts';
import { createParquetFile, type ParquetFile } from './parquet-file.ts';
import { accountPseudonym, devicePseudonym } from './pseudonym.ts';
import { type ReceivedRows, receivedRows } from './received-rows.ts';

const PAGE = 500;
const AT_ONCE = 6;
/** Of all files together: then they are stored, and the rest of the shard's day goes into further ones. */
const MOST_BYTES = 16 * 1024 * 1024;
const CONTENT_TYPE = 'application/vnd.apache.parquet';
/** After a longer outage, the days before are left out: what they brought is in the table for 400 days. */
const MOST_DAYS_BEHIND = 30;

export interface ArchiveParts {
  readonly weeks: Pick<ReturnType<typeof createUploadWeeks>, 'page'>;
  readonly fleet: Pick<FleetDevices, 'find'>;
  readonly items: GardenItems;
  readonly progress: ArchiveProgress;
  readonly objectStore: Pick<Services['objectStore'], 'put'>;
  /** A device that can't be read is left out, and does not hold up the others. */
  readonly apart: Apart;
}

export interface Written {
  readonly files: number;
  readonly rows: number;
}

/**
 * Writes what came in on each past day that is not archived yet, a shard after the other, each once. Where it stops, the next
 * run goes on; files of a run that died are written anew, under the same names.
 */
export async function writeArchive(
  parts: ArchiveParts,
  now: number,
  signal: Pick<AbortSignal, 'aborted'>,
): Promise<Written> {
  const yesterday = dayOf(now - DAY_MS);
  let known = await parts.progress.place();
  let place = startOf(known, now);
  const sum = { files: 0, rows: 0 };
  while (place.day <= yesterday && !signal.aborted) {
    const { next, files, rows } = await writePart(parts, place, signal);
    sum.files += files;
    sum.rows += rows;
    if (!(await parts.progress.moveOn(known, next))) break;
    known = next;
    place = next;
  }
  return sum;
}

function startOf(known: ArchivePlace | undefined, now: number): ArchivePlace {
  const fresh = { shard: 0, parts: 0, after: undefined };
  if (known === undefined) return { ...fresh, day: dayOf(now - DAY_MS) };
  const earliest = dayOf(now - MOST_DAYS_BEHIND * DAY_MS);
  return known.day >= earliest ? known : { ...fresh, day: earliest };
}

/** Writes the rest of a shard's day, or as much of it as there is room and time for. */
async function writePart(parts: ArchiveParts, place: ArchivePlace, signal: Pick<AbortSignal, 'aborted'>) {
  const files = new Map<ArchiveKind, ParquetFile>();
  const fileOf = (kind: ArchiveKind) => {
    const file = files.get(kind) ?? createParquetFile(ARCHIVE_TABLES[kind]);
    files.set(kind, file);
    return file;
  };
  let { after } = place;
  let isAtEnd = false;
  const isFull = () => [...files.values()].reduce((size, file) => size + file.size, 0) >= MOST_BYTES;
  while (!isAtEnd && !isFull() && !signal.aborted) {
    const page = await parts.weeks.page(startOfDay(place.day), PAGE, after);
    const own = page.hwIds.filter((hwId) => shardOf(hwId) === place.shard);
    for (let at = 0; at < own.length; at += AT_ONCE) {
      const found = await Promise.all(own.slice(at, at + AT_ONCE).map((hwId) => readDevice(parts, hwId, place.day)));
      // One after the other: a file's groups follow each other.
      for (const one of found) if (one !== undefined) await addDevice(fileOf, one);
    }
    after = page.next;
    isAtEnd = page.next === undefined;
  }
  let rows = 0;
  for (const kind of ARCHIVE_KINDS) {
    const file = files.get(kind);
    if (file === undefined) continue;
    rows += file.rows;
    await parts.objectStore.put(
      archiveKey(kind, place.day, place.shard, place.parts),
      await file.finish(),
      CONTENT_TYPE,
    );
  }
  return { next: isAtEnd ? nextShard(place) : { ...place, parts: place.parts + 1, after }, files: files.size, rows };
}

/** What a device told to its present owner; nothing if it has none any more. */
async function readDevice({ fleet, items, apart }: ArchiveParts, hwId: HwId, day: string) {
  const device = await fleet.find({ hwId, serial: undefined }, { mayBeStale: true });
  const uid = device?.owner?.uid;
  if (device === undefined || uid === undefined) return undefined;
  return apart.attempt({ serial: device.serial }, async () => {
    const [item] = await items.read([deviceKey(uid, hwId)], { isConsistent: true });
    const { state } = readDeviceItem(item);
    if (state === undefined) return undefined;
    return { uid, hwId, ...(await receivedRows(items, { uid, hwId }, state, startOfDay(day) / DAY_MS)) };
  });
}

async function addDevice(
  fileOf: (kind: ArchiveKind) => ParquetFile,
  { uid, hwId, rows, sessions, samples }: ReceivedRows & { readonly uid: Uid; readonly hwId: HwId },
): Promise<void> {
  const owned = { account: accountPseudonym(uid), device: devicePseudonym(uid, hwId) };
  for (const kind of ROW_KINDS) {
    const own = rows.filter((row) => row.kind === kind);
    if (own.length > 0) await fileOf(kind).add(own.map((row) => archivedRow(owned, row)));
  }
  if (sessions.length > 0) await fileOf('session').add(sessions.map((session) => archivedSession(owned, session)));
  if (samples.length > 0) await fileOf('live').add(samples.map((sample) => archivedSample(owned, sample)));
}

function nextShard({ day, shard }: ArchivePlace): ArchivePlace {
  const isLast = shard + 1 === SHARDS;
  const next = isLast ? dayOf(startOfDay(day) + DAY_MS) : day;
  return { day: next, shard: isLast ? 0 : shard + 1, parts: 0, after: undefined };
}
