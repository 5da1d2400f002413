import {
  type ByeCode,
  type FrameId,
  MAX_CONNECTION_MS,
  MAX_FAULTS,
  type PeerFrame,
  REKEY_AFTER_SECONDS,
  REKEY_GRACE_SECONDS,
  type RelayErrorCode,
  type SealedFrame,
} from '@autowatering/relay-protocol';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { readPeerFrame } from '../frames/read-peer-frame.ts';
import type { ConnectionId } from '../names.ts';
import type { Endings, Stores } from './ending.ts';
import { REFUSALS, type RefusalCode } from './handshake-table.ts';
import type { SessionKeys } from './keys/key-schedule.ts';
import { open } from './keys/sealing.ts';
import { newestKeysOf, previousC2s, sessionOf } from './keys/session-keys.ts';
import type { SessionNeeds } from './needs.ts';
import { createRekey } from './rekey.ts';
import { sendSealed } from './send.ts';
import type { EstablishedConnection } from './store/connection-record.ts';

const REKEY_OVERDUE_MS = (REKEY_AFTER_SECONDS + REKEY_GRACE_SECONDS) * 1000;
/** What an `unavailable` answer suggests, in seconds. */
export const RETRY_AFTER_SECONDS = 2;

export interface Fault {
  readonly code: RelayErrorCode;
  readonly message: string;
  readonly id?: FrameId;
}

type Needed = Pick<Services, 'clock' | 'log' | 'metrics' | 'randomness'>;

/** What is done with the messages of an established session. */
export function createServeSealed(services: Needed, needs: SessionNeeds, stores: Stores, endings: Endings) {
  const { clock, log, metrics, randomness } = services;
  const { connections, keyWrap, recent } = stores;
  const rekey = createRekey(services, needs, stores);

  const fault = async (record: EstablishedConnection, keys: SessionKeys, { code, message, id }: Fault) => {
    metrics.count('RelayFaults', { code });
    const faults = await connections.addFault(record.connectionId);
    if (faults === undefined) return;
    const about = id === undefined ? {} : { id };
    // Other containers may count at the same time.
    if (faults <= MAX_FAULTS) {
      await sendSealed(needs.connections, randomness, sessionOf(record, keys), {
        type: 'error',
        code,
        message,
        ...about,
      });
    }
    if (faults < MAX_FAULTS) return;
    await endings.bye(record.connectionId, 'too_many_faults', `${MAX_FAULTS} frames could not be read.`);
  };

  const opened = async (record: EstablishedConnection, keys: SessionKeys, frame: SealedFrame) => {
    const key = frame.g === record.generation ? keys.c2s : await olderKey(record, frame);
    return key && open(key, 'c2s', Buffer.from(record.sessionId, 'base64url'), frame);
  };
  const olderKey = async (record: EstablishedConnection, { g }: SealedFrame) =>
    g === record.generation - 1 ? previousC2s(keyWrap, record, clock.now()) : undefined;

  /** The end that is due, whatever the frame says. */
  const dueEnd = ({ openedAt, rekeyedAt }: EstablishedConnection): readonly [ByeCode, string] | undefined => {
    const now = clock.now();
    if (now >= openedAt + MAX_CONNECTION_MS) return ['expired', 'Two hours are over.'];
    if (now >= rekeyedAt + REKEY_OVERDUE_MS) return ['rekey_overdue', 'The keys have been in use for too long.'];
    return undefined;
  };

  /** A publish checks both itself, in the transaction that stores it. */
  const isStillThePeers = async ({ uid, peerId, connectionId }: EstablishedConnection): Promise<boolean> => {
    const peer = await needs.peers.read(uid, peerId);
    if (peer?.status !== 'active') await endings.bye(connectionId, 'revoked', 'This peer was revoked.');
    else if (peer.connectionId !== connectionId) {
      await endings.bye(connectionId, 'replaced', 'This peer has connected again.');
    } else return true;
    return false;
  };

  const serve = async (record: EstablishedConnection, keys: SessionKeys, g: number, frame: PeerFrame) => {
    metrics.count('RelayFrames', { type: frame.type });
    if (frame.type === 'rekey') {
      recent.forget(record.connectionId);
      const wrong = g === record.generation ? await rekey(record, keys, frame) : 'out_of_turn';
      if (wrong !== undefined) await fault(record, keys, { code: wrong, message: REFUSALS[wrong] });
      return;
    }
    if (frame.type !== 'publish' && !(await isStillThePeers(record))) return;
    await needs.serve(sessionOf(record, keys), frame);
  };

  const serveSafely = async (record: EstablishedConnection, keys: SessionKeys, g: number, frame: PeerFrame) => {
    try {
      await serve(record, keys, g, frame);
    } catch (error) {
      log.error('A frame of the relay failed', { type: frame.type }, error);
      await sendSealed(needs.connections, randomness, sessionOf(record, keys), {
        ...{ type: 'error', code: 'unavailable', message: REFUSALS.unavailable, retry_after: RETRY_AFTER_SECONDS },
        ...('id' in frame ? { id: frame.id } : {}),
      });
    }
  };

  return {
    /**
     * Serves a publish of a session that published a moment ago, by what was stored then. Returns its account; undefined for
     * every other frame, and for one that may need a newer state: nothing was done with it then.
     */
    async publish(connectionId: ConnectionId, sealed: SealedFrame): Promise<Uid | undefined> {
      const known = recent.find(connectionId, clock.now());
      if (known === undefined) return undefined;
      const { record, keys } = known;
      if (sealed.g !== record.generation || dueEnd(record) !== undefined) return undefined;
      const text = open(keys.c2s, 'c2s', Buffer.from(record.sessionId, 'base64url'), sealed);
      const read = text === undefined ? undefined : readPeerFrame(text);
      if (read?.ok !== true || read.frame.type !== 'publish') return undefined;
      await serveSafely(record, keys, sealed.g, read.frame);
      return record.uid;
    },

    /**
     * Opens a sealed frame and does what it asks for.
     *
     * @param readAt when the record was read, in milliseconds since 1970
     */
    async frame(record: EstablishedConnection, sealed: SealedFrame, readAt: number): Promise<void> {
      const end = dueEnd(record);
      if (end !== undefined) {
        await endings.bye(record.connectionId, ...end);
        return;
      }
      const keys = await newestKeysOf(keyWrap, record);
      const text = await opened(record, keys, sealed);
      if (text === undefined) {
        await fault(record, keys, { code: 'malformed', message: 'The frame could not be opened.' });
        return;
      }
      const read = readPeerFrame(text);
      if (!read.ok) {
        await fault(record, keys, read);
        return;
      }
      if (read.frame.type === 'publish') recent.keep(record.connectionId, { record, keys }, readAt);
      await serveSafely(record, keys, sealed.g, read.frame);
    },

    /** Answers a message that is no sealed frame. */
    async fault(record: EstablishedConnection, code: RefusalCode): Promise<void> {
      await fault(record, await newestKeysOf(keyWrap, record), { code, message: REFUSALS[code] });
    },
  };
}
