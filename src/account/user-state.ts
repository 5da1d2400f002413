import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import { LARGEST_STATE_BYTES, packState, unpackState } from './state.ts';
import type { AccountStore, StateRecord } from './store.ts';

/** Key prefix of all of a user's states that did not fit into an item. */
export function stateObjectPrefix(uid: Uid): string {
  return `user-state/${uid}/`;
}

/** A user's state with its version, as the app sees it. */
export interface UserState {
  readonly state: Record<string, unknown>;
  readonly version: string | null;
  readonly updatedAt: string;
  readonly docVersion: number;
}

export interface SaveRequest {
  readonly state: Readonly<Record<string, unknown>>;
  readonly version: string | undefined;
  readonly baseDocVersion: number | undefined;
}

export type SaveOutcome =
  | { readonly saved: true; readonly bytes: number; readonly docVersion: number }
  | { readonly saved: false; readonly reason: 'too_large'; readonly bytes: number; readonly limit: number }
  | { readonly saved: false; readonly reason: 'stale'; readonly current: UserState | null };

type Needed = Pick<Services, 'objectStore' | 'randomness'>;

export async function readUserState(
  store: AccountStore,
  services: Pick<Needed, 'objectStore'>,
  uid: Uid,
): Promise<UserState | undefined> {
  const record = await store.readState(uid);
  if (record === undefined) return undefined;
  const found = await load(services, record);
  if (found !== undefined) return found;
  // A newer save may have replaced the object between the two reads; its record has the new location.
  const newer = await store.readState(uid);
  return newer === undefined ? undefined : await load(services, newer);
}

export async function saveUserState(
  store: AccountStore,
  services: Needed,
  uid: Uid,
  request: SaveRequest,
  now: number,
): Promise<SaveOutcome> {
  const result = await packState(request.state);
  if (!result.ok) return { saved: false, reason: 'too_large', bytes: result.bytes, limit: LARGEST_STATE_BYTES };
  const { packed } = result;
  const writeId = services.randomness.id();
  // Always a new object, so that the record never points at bytes that are about to change.
  const objectKey = packed.encoding === 'object' ? `${stateObjectPrefix(uid)}${writeId}.json.gz` : undefined;
  if (packed.encoding === 'object' && objectKey !== undefined) {
    await services.objectStore.put(objectKey, packed.content, 'application/gzip');
  }
  const { version, baseDocVersion } = request;
  // If this throws, the object stays: the record may already point to it.
  const outcome = await store.writeState(uid, { writeId, packed, objectKey, version, baseDocVersion }, now);
  if (!outcome.written) {
    if (objectKey !== undefined) await services.objectStore.remove(objectKey);
    const { current } = outcome;
    const state = current === undefined ? undefined : await load(services, current);
    return { saved: false, reason: 'stale', current: state ?? null };
  }
  if (outcome.replacedObjectKey !== undefined) await services.objectStore.remove(outcome.replacedObjectKey);
  return { saved: true, bytes: packed.bytes, docVersion: outcome.docVersion };
}

async function load(services: Pick<Needed, 'objectStore'>, record: StateRecord): Promise<UserState | undefined> {
  const { location, version, updatedAt, docVersion } = record;
  const body = 'body' in location ? location.body : await services.objectStore.read(location.objectKey);
  if (body === undefined) return undefined;
  return { state: await unpackState(body), version, updatedAt, docVersion };
}
