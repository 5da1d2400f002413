import type { ErrorFrame, FrameId, Publish, Replay, Snapshot } from '@autowatering/relay-protocol';
import type { Services } from '../../platform/services.ts';
import { textThat } from '../../platform/shapes.ts';
import type { Delivery } from '../delivery/deliver.ts';
import { createPeerViews } from '../delivery/peer-views.ts';
import { isEpoch, isStreamName } from '../names.ts';
import type { SessionFrame } from '../session/needs.ts';
import type { Session } from '../session/session.ts';
import { createCursorStore } from './cursor-store.ts';
import { createLogStore } from './log-store.ts';
import { createPublish } from './publish.ts';
import type { PublishOutcome } from './publishing/publish-request.ts';
import { createReadPage } from './read-log.ts';
import { createReadSnapshot } from './read-snapshot.ts';
import { createSubscribe, headOf } from './subscribe.ts';

const streamName = textThat(isStreamName, 'the name of a stream');
const epochName = textThat(isEpoch, 'an epoch');

const MESSAGES = {
  not_found: 'There is no such stream.',
  bad_continuation: 'This continuation is not for this request.',
  conflict: 'Another event came first.',
  client_seq_expected: 'This is not the next client_seq of this peer and stream.',
  rate_limited: 'Too many events.',
  streams: 'The account has as many streams as it may have.',
  bytes: "The account's stored events have reached their limit.",
  clock_skew: 'sent_at is more than five minutes away from our time.',
} as const;

/** Serves the frames of established sessions. */
export function createSessionFrames(
  services: Services,
  delivery: Delivery,
): (session: Session, frame: SessionFrame) => Promise<void> {
  const { clock, metrics } = services;
  const publish = createPublish(services, delivery);
  const subscribe = createSubscribe(services, delivery);
  const { readPage } = createReadPage(services);
  const readSnapshot = createReadSnapshot(services);
  const cursors = createCursorStore(services);
  const logs = createLogStore(services);
  const peerViews = createPeerViews(services);

  const fail = (session: Session, id: FrameId, code: 'not_found' | 'bad_continuation') =>
    delivery.toSession(session, { type: 'error', code, message: MESSAGES[code], id });

  const served = {
    async publish(session: Session, { id, stream, client_seq, events, if_seq }: Publish) {
      const { uid, peerId, connectionId } = session;
      const request = { stream: streamName(stream), clientSeq: client_seq, events, ifSeq: if_seq };
      await publish({ uid, peerId, connectionId }, request, async (outcome) => {
        if (outcome.outcome === 'published') {
          const { epoch, time } = outcome;
          const seqs = outcome.events.map(({ event_id, seq }) => ({ event_id, seq }));
          await delivery.toSession(session, { type: 'published', id, epoch, events: seqs, time });
        } else if (outcome.outcome === 'revoked' || outcome.outcome === 'replaced') {
          const reason = outcome.outcome === 'revoked' ? 'This peer was revoked.' : 'This peer has connected again.';
          await delivery.endSession(session, outcome.outcome, reason);
        } else {
          await delivery.toSession(session, { id, ...errorOf(outcome) });
        }
      });
    },

    async replay(session: Session, { id, stream, epoch, after, limit, continuation }: Replay) {
      metrics.count('RelayReplays');
      const request = { epoch: epochName(epoch), after, limit, continuation };
      const page = await readPage(session.uid, streamName(stream), request);
      if (page.outcome === 'not_found' || page.outcome === 'bad_continuation') await fail(session, id, page.outcome);
      else if (page.outcome === 'reset') {
        await delivery.toSession(session, { type: 'reset', id, stream, ...fieldsOf(page) });
      } else {
        const { outcome: _outcome, head: _head, ...read } = page;
        await delivery.toSession(session, { type: 'events', id, stream, ...read });
      }
    },

    async snapshot(session: Session, { id, stream, continuation }: Snapshot) {
      const page = await readSnapshot(session.uid, streamName(stream), continuation);
      if (page.outcome === 'not_found' || page.outcome === 'bad_continuation') await fail(session, id, page.outcome);
      else if (page.outcome === 'reset') {
        await delivery.toSession(session, { type: 'reset', id, stream, ...fieldsOf(page) });
      } else await delivery.toSession(session, { type: 'snapshot', id, stream, ...fieldsOf(page) });
    },
  };

  return async (session, frame) => {
    const { uid } = session;
    switch (frame.type) {
      case 'publish':
        await served.publish(session, frame);
        return;
      case 'replay':
        await served.replay(session, frame);
        return;
      case 'snapshot':
        await served.snapshot(session, frame);
        return;
      case 'subscribe':
        await subscribe(session, frame);
        return;
      case 'ack': {
        const { stream, epoch, seq } = frame;
        await cursors.advance(uid, session.peerId, {
          stream: streamName(stream),
          epoch: epochName(epoch),
          seq,
        });
        return;
      }
      case 'ping': {
        const heads = (await logs.listStreams(uid, { mayBeStale: true })).map(headOf);
        await delivery.toSession(session, { type: 'pong', id: frame.id, time: clock.now(), heads });
        return;
      }
      case 'peers':
        await delivery.toSession(session, { type: 'peers', id: frame.id, peers: await peerViews(uid) });
        return;
    }
  };
}

function fieldsOf<Outcome extends { readonly outcome: string }>({
  outcome: _outcome,
  ...fields
}: Outcome): Omit<Outcome, 'outcome'> {
  return fields;
}

type Refusal = Exclude<PublishOutcome, { readonly outcome: 'published' | 'revoked' | 'replaced' }>;

function errorOf(refused: Refusal): ErrorFrame {
  switch (refused.outcome) {
    case 'conflict':
      return { type: 'error', code: 'conflict', message: MESSAGES.conflict, event: refused.event, seq: refused.seq };
    case 'client_seq_expected':
      return {
        type: 'error',
        code: 'client_seq_expected',
        message: MESSAGES.client_seq_expected,
        expected: refused.expected,
      };
    case 'rate_limited':
      return { type: 'error', code: 'rate_limited', message: MESSAGES.rate_limited, retry_after: refused.retryAfter };
    case 'limit_reached':
      return { type: 'error', code: 'limit_reached', message: MESSAGES[refused.limit] };
    case 'clock_skew':
      return { type: 'error', code: 'clock_skew', message: MESSAGES.clock_skew, time: refused.time };
  }
}
