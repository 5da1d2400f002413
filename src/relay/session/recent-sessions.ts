import { createRecent, type Recent } from '../recent.ts';
import type { SessionKeys } from './keys/key-schedule.ts';
import type { EstablishedConnection } from './store/connection-record.ts';

/** A session as it was stored a moment ago, with its newest keys of then. */
export interface RecentSession {
  readonly record: EstablishedConnection;
  readonly keys: SessionKeys;
}

const RECENT_MS = 1_000;
const MOST_SESSIONS = 1_000;

/**
 * Sessions that published within the last second, by connection, so that the next publish need not read its connection.
 * Only for publishes: their transaction checks that the peer is active and that this is its connection, so a session that
 * was revoked, replaced or ended elsewhere stores nothing more. Keys are good for a minute after the next ones (OLD_GENERATION_MS).
 */
export type RecentSessions = Recent<RecentSession>;

export const createRecentSessions = (): RecentSessions => createRecent({ ms: RECENT_MS, most: MOST_SESSIONS });
