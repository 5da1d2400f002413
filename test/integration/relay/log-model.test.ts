import type { NewEvent, ServerFrame } from '@autowatering/relay-protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { relayOf } from '../../support/relay-account.ts';

let backend: Backend;
let relay: ReturnType<typeof relayOf>;
beforeAll(async () => {
  backend = await startBackend({}, { isDirect: true });
  relay = relayOf(backend.services);
});
afterAll(() => backend.stop());

/** What a publish must do, written as simply as possible: the whole log in an array. */
function naiveLog() {
  const log: { readonly seq: number; readonly author: number; readonly event: NewEvent }[] = [];
  const by = (author: number) => log.filter((one) => one.author === author);
  const newest = (key: string) => log.findLast(({ event }) => event.key === key)?.seq ?? 0;
  return {
    log,
    by,
    newest,
    publish(author: number, clientSeq: number, events: readonly NewEvent[], ifSeq: number | undefined) {
      const own = by(author);
      const known = own.slice(clientSeq - 1, clientSeq - 1 + events.length);
      if (known.length === events.length && known.every(({ event }, at) => event.event_id === events[at]?.event_id)) {
        return { published: known.map(({ seq }) => seq) };
      }
      if (clientSeq !== own.length + 1) return { expected: own.length + 1 };
      const keys = events.flatMap(({ key }) => (key === undefined ? [] : [key]));
      const conditions = keys.length > 0 ? keys.map(newest) : [log.length];
      const broken = ifSeq === undefined ? undefined : conditions.find((seq) => seq !== ifSeq);
      if (broken !== undefined) return { conflict: broken, winner: log[broken - 1]?.event.event_id };
      for (const event of events) log.push({ seq: log.length + 1, author, event });
      return {
        published: by(author)
          .slice(clientSeq - 1)
          .map(({ seq }) => seq),
      };
    },
  };
}

function told(frame: ServerFrame): object {
  if (frame.type === 'published') return { published: frame.events.map(({ seq }) => seq) };
  if (frame.type !== 'error') return frame;
  if (frame.code === 'client_seq_expected') return { expected: frame.expected };
  return frame.code === 'conflict' ? { conflict: frame.seq, winner: frame.event?.event_id } : frame;
}

const step = fc.record({
  author: fc.nat({ max: 1 }),
  /** Keys of the events; undefined: an event without one. */
  keys: fc.array(fc.constantFrom(undefined, 'zone-1', 'zone-2'), { minLength: 1, maxLength: 3 }),
  /** 0: the next number; more: too many; less: one used before. */
  shift: fc.constantFrom(0, 0, 0, 0, 1, -1, -2, -4),
  isRepetition: fc.boolean(),
  condition: fc.constantFrom('none', 'none', 'head', 'key', 'zero', 'stale'),
});

it('publishing does what a naive log does, whatever is published, repeated and on what condition', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 20 }), async (steps) => {
      const uid = relay.newAccount();
      const peers = [await relay.peer(uid), await relay.peer(uid)];
      const model = naiveLog();
      for (const { author, keys, shift, isRepetition, condition } of steps) {
        const own = model.by(author);
        const clientSeq = Math.max(1, own.length + 1 + shift);
        const fresh = keys.map((key) => relay.event(key === undefined ? {} : { key }));
        const used = own.slice(clientSeq - 1, clientSeq - 1 + keys.length).map(({ event }) => event);
        const events = isRepetition && used.length > 0 ? used : fresh;
        const ifSeq = {
          none: undefined,
          head: model.log.length,
          key: model.newest(keys.find((key) => key !== undefined) ?? ''),
          zero: 0,
          stale: Math.max(0, model.log.length - 1),
        }[condition];
        const answer = await peers[author]?.publish('zones', clientSeq, events, ifSeq);
        expect(answer && told(answer)).toEqual(model.publish(author, clientSeq, events, ifSeq));
        backend.clock.forward(500);
      }
      const [heads] = (await peers[0]?.say({ type: 'ping', id: 1 })) ?? [];
      const [{ epoch = '', head = 0 } = {}] = heads?.type === 'pong' ? heads.heads : [];
      expect(head).toBe(model.log.length);
      if (head === 0) return;
      const [page] = (await peers[1]?.say({ type: 'replay', id: 1, stream: 'zones', epoch, after: 0 })) ?? [];
      const stored = page?.type === 'events' ? page.events : [];
      expect(stored.map(({ seq, event_id }) => [seq, event_id])).toEqual(
        model.log.map(({ seq, event }) => [seq, event.event_id]),
      );
    }),
    { numRuns: 12 },
  );
});
