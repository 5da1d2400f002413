import type { Bye, ByeCode, ErrorFrame } from '@autowatering/relay-protocol';
import type { Services } from '../../platform/services.ts';
import type { ConnectionId } from '../names.ts';
import { REFUSALS, type RefusalCode } from './handshake-table.ts';
import { newestKeysOf, sessionOf } from './keys/session-keys.ts';
import type { KeyWrap } from './keys/wrapped-keys.ts';
import type { SessionNeeds } from './needs.ts';
import type { RecentSessions } from './recent-sessions.ts';
import { sendPlain, sendSealed } from './send.ts';
import type { ConnectionRecord } from './store/connection-record.ts';
import type { ConnectionStore } from './store/connection-store.ts';
import type { SessionStore } from './store/session-store.ts';

export interface Stores {
  readonly connections: ConnectionStore;
  readonly sessions: SessionStore;
  readonly keyWrap: KeyWrap;
  readonly recent: RecentSessions;
}

type Needed = Pick<Services, 'clock' | 'log' | 'metrics' | 'randomness'>;

/** Ways in which the server ends a connection. */
export interface Endings {
  /** Says why in an `error` frame, sealed if there is a session, and closes the connection. */
  refuse(connectionId: ConnectionId, code: RefusalCode, more?: MoreAbout): Promise<void>;
  /** Says `bye` and closes the connection. */
  bye(connectionId: ConnectionId, code: ByeCode, reason: string): Promise<void>;
  /** What is left to do when a connection is over, however it ended. Can be repeated. */
  tidyUp(ended: ConnectionRecord): Promise<void>;
  /** Closes a connection without a word: its peer knows already, or can't be told. */
  close(connectionId: ConnectionId): Promise<void>;
  /** Ends a handshake while the database can't be reached. */
  abandon(connectionId: ConnectionId, retryAfterSeconds: number): Promise<void>;
}

export function createEndings(
  { clock, log, metrics, randomness }: Needed,
  needs: SessionNeeds,
  { connections, sessions, keyWrap, recent }: Stores,
): Endings {
  const { connections: gateway } = needs;

  const say = async (ended: ConnectionRecord, frame: Bye | ErrorFrame): Promise<void> => {
    const { connectionId } = ended;
    if (ended.state !== 'established') {
      await sendPlain(gateway, connectionId, frame);
      return;
    }
    try {
      const keys = await newestKeysOf(keyWrap, ended);
      await sendSealed(gateway, randomness, sessionOf(ended, keys), frame);
    } catch (error) {
      // The connection is closed all the same.
      log.warn('A farewell could not be sealed', { connectionId }, error);
    }
  };

  const tidyUp = async (ended: ConnectionRecord): Promise<void> => {
    const { uid, connectionId } = ended;
    const peerId =
      ended.state === 'closed' ? ended.sessionOf : ended.state === 'established' ? ended.peerId : undefined;
    if (peerId === undefined) return;
    const wasOnline = await sessions.leave(uid, peerId, connectionId, clock.now());
    if (wasOnline) await needs.announce(uid, peerId, false);
  };

  /** Only the call that ends a connection says why. Returns whether this one did. */
  const end = async (connectionId: ConnectionId, frame: Bye | ErrorFrame): Promise<boolean> => {
    recent.forget(connectionId);
    const ended = await connections.close(connectionId);
    if (ended === undefined) return false;
    await say(ended, frame);
    await gateway.close(connectionId);
    await tidyUp(ended);
    return true;
  };

  return {
    tidyUp,
    async refuse(connectionId, code, more = {}) {
      metrics.count('RelayHandshakes', { outcome: code });
      const isDone = await end(connectionId, refusal(code, more));
      if (!isDone) await gateway.close(connectionId);
    },
    async bye(connectionId, code, reason) {
      metrics.count('RelayByes', { code });
      // Another call may be about to say bye, and a close would overtake it. If it died, the next frame closes.
      await end(connectionId, { type: 'bye', code, reason });
    },
    async close(connectionId) {
      await gateway.close(connectionId);
    },
    async abandon(connectionId, retryAfter) {
      const frame = refusal('unavailable', { retry_after: retryAfter });
      await sendPlain(gateway, connectionId, frame);
      await gateway.close(connectionId);
    },
  };
}

type MoreAbout = Pick<ErrorFrame, 'time' | 'retry_after'>;

function refusal(code: RefusalCode, more: MoreAbout): ErrorFrame {
  return { type: 'error', code, message: REFUSALS[code], ...more };
}
