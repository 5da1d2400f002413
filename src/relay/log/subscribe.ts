import type { Events, FrameId, StreamHead, Subscribe } from '@autowatering/relay-protocol';
import type { Services } from '../../platform/services.ts';
import { type Fields, fields, number, optional, textThat } from '../../platform/shapes.ts';
import type { Delivery } from '../delivery/deliver.ts';
import { createOnlineStore, type Subscription } from '../delivery/online-store.ts';
import { isEpoch, isStreamName } from '../names.ts';
import type { Session } from '../session/session.ts';
import { createLogStore } from './log-store.ts';
import { createReadPage } from './read-log.ts';
import type { Stream } from './stored-stream.ts';

/** What was missed is sent in so many pages; then the client goes on with the last page's continuation. */
const MOST_PAGES = 8;

type Needed = Pick<Services, 'config' | 'documents' | 'secrets' | 'clock' | 'metrics'>;

/**
 * Subscribes a session: registers it, then sends what it missed, then the heads that this covers. Events after
 * those heads come live, since the heads are read after the registration and the pages after the heads.
 */
export function createSubscribe(services: Needed, delivery: Pick<Delivery, 'toSession'>) {
  const online = createOnlineStore(services);
  const logs = createLogStore(services);
  const { readPage, pageOf } = createReadPage(services);

  /** Sends the pages of one stream, or a reset. Returns how many. */
  const catchUp = async (session: Session, id: FrameId, stream: Stream, wanted: Wanted, most: number) => {
    const { uid } = session;
    const epoch = wanted.epoch ?? stream.epoch;
    let page = await pageOf(uid, stream, epoch, wanted.after ?? stream.head);
    let sent = 0;
    for (;;) {
      const { name } = stream;
      if (page.outcome === 'reset') {
        const { outcome: _outcome, ...reset } = page;
        await delivery.toSession(session, { type: 'reset', id, stream: name, ...reset });
        return sent + 1;
      }
      // The stream is deleted by now: there is nothing to catch up with.
      if (page.outcome !== 'page') return sent;
      const { events, continuation } = page;
      if (events.length === 0 && continuation === undefined) return sent;
      const frame: Events = {
        type: 'events',
        id,
        stream: name,
        epoch: page.epoch,
        events,
        ...(continuation && { continuation }),
      };
      if ((await delivery.toSession(session, frame)) === 'gone') return Number.POSITIVE_INFINITY;
      sent += 1;
      if (continuation === undefined || sent >= most) return sent;
      page = await readPage(uid, name, { epoch, after: 0, continuation });
    }
  };

  return async (session: Session, { id, streams: wanted }: Subscribe): Promise<void> => {
    const asked: readonly Wanted[] = wanted === '*' ? [] : wanted.map((one) => toWanted(one));
    const subscriptions = new Set<Subscription>(wanted === '*' ? ['*'] : asked.map(({ stream }) => stream));
    // False: the peer has a newer connection, and this one is about to be closed.
    if (!(await online.subscribe(session.uid, session, subscriptions))) return;
    const all = await logs.listStreams(session.uid);
    const subscribed = wanted === '*' ? all : all.filter(({ name }) => subscriptions.has(name));
    let left = MOST_PAGES;
    for (const stream of subscribed) {
      const one = asked.find((each) => each.stream === stream.name);
      if (one === undefined || (one.after === undefined && one.epoch === undefined)) continue;
      // Each stream gets a page at least: without one, a client would believe that it missed nothing.
      left -= await catchUp(session, id, stream, one, Math.max(1, left));
      if (left === Number.NEGATIVE_INFINITY) return;
    }
    await delivery.toSession(session, { type: 'subscribed', id, streams: subscribed.map(headOf) });
  };
}

const WANTED = {
  stream: textThat(isStreamName, 'the name of a stream'),
  epoch: optional(textThat(isEpoch, 'an epoch')),
  after: optional(number),
};
const toWanted = fields(WANTED);
type Wanted = Fields<typeof WANTED>;

export function headOf({ name, epoch, head }: Stream): StreamHead {
  return { stream: name, epoch, head };
}
