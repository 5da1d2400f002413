import type { Services } from '../../platform/services.ts';
import { type PlainFrame, readPlainFrame } from '../frames/read-plain-frame.ts';
import type { ConnectionId } from '../names.ts';
import { createAuthenticate } from './authenticate.ts';
import type { Endings, Stores } from './ending.ts';
import { createGreet } from './greet.ts';
import { type Action, HANDSHAKE } from './handshake-table.ts';
import type { SessionNeeds } from './needs.ts';
import { createServeSealed, RETRY_AFTER_SECONDS } from './serve-sealed.ts';
import type { ConnectionRecord } from './store/connection-record.ts';

type Needed = Pick<Services, 'clock' | 'log' | 'metrics' | 'randomness'>;

/** Handles one message of a connection, of which others may be handled at the same time elsewhere. Never fails. */
export function createReceive(services: Needed, needs: SessionNeeds, stores: Stores, endings: Endings) {
  const { clock, log, metrics } = services;
  const greet = createGreet(services, needs, stores, endings);
  const authenticate = createAuthenticate(services, needs, stores, endings);
  const sealed = createServeSealed(services, needs, stores, endings);

  const act = async (record: ConnectionRecord, message: PlainFrame, readAt: number): Promise<void> => {
    const action: Action = HANDSHAKE[record.state][message.kind];
    if (message.kind !== 'sealed') metrics.count('RelayFrames', { type: message.kind });
    switch (action.do) {
      case 'greet':
        if (message.kind === 'client_hello') await greet(record, message.frame);
        return;
      case 'authenticate':
        if (record.state === 'greeted' && message.kind === 'client_auth') await authenticate(record, message.frame);
        return;
      case 'serve':
        if (record.state === 'established' && message.kind === 'sealed')
          await sealed.frame(record, message.frame, readAt);
        return;
      case 'fault':
        if (record.state === 'established') await sealed.fault(record, action.code);
        return;
      case 'refuse':
        await endings.refuse(record.connectionId, action.code);
        return;
      case 'close':
        await endings.close(record.connectionId);
    }
  };

  return async (connectionId: ConnectionId, text: string): Promise<{ readonly uid: string | undefined }> => {
    const message = readPlainFrame(text);
    let record: ConnectionRecord | undefined;
    try {
      const publisher = message.kind === 'sealed' ? await sealed.publish(connectionId, message.frame) : undefined;
      if (publisher !== undefined) return { uid: publisher };
      const now = clock.now();
      record = await stores.connections.read(connectionId, now);
      if (record === undefined) await endings.close(connectionId);
      else await act(record, message, now);
    } catch (error) {
      log.error('A message to the relay failed', { kind: message.kind }, error);
      await giveUp(connectionId, record, message);
    }
    return { uid: record?.uid };
  };

  /** The peer tries again: with a new connection, unless it has, or may have, a session that still stands. */
  async function giveUp(connectionId: ConnectionId, record: ConnectionRecord | undefined, { kind }: PlainFrame) {
    if (record === undefined ? kind === 'sealed' : record.state === 'established') return;
    try {
      await endings.refuse(connectionId, 'unavailable', { retry_after: RETRY_AFTER_SECONDS });
    } catch (error) {
      log.error('A connection could not be ended properly', { connectionId }, error);
      await endings.abandon(connectionId, RETRY_AFTER_SECONDS);
    }
  }
}
