import { describe, expect, it } from 'vitest';
import {
  type FaultKind,
  faultsIn,
  type History,
  type PublishOp,
  type SeenEvent,
} from '../../support/relay-proof/history.ts';

const event = (seq: number, id: string, more: Partial<SeenEvent> = {}): SeenEvent => ({
  ...{ epoch: 'e1', seq, id, from: 'a' },
  ...more,
});
const op = (peer: string, ids: readonly string[], begun: number, seqs: readonly number[], more: object = {}) =>
  ({
    ...{ account: 'a', peer, stream: 'zones', ids, begun, ended: begun + 1 },
    answers: [{ outcome: 'published', epoch: 'e1', seqs }],
    ...more,
  }) satisfies PublishOp;

const EVENTS = [event(1, 'x1', { key: 'k' }), event(2, 'y1'), event(3, 'x2', { key: 'k' }), event(4, 'x3')];
const run = (peer: string, events: readonly SeenEvent[]) => ({ account: 'a', peer, stream: 'zones', events });
const GOOD: History = {
  published: [
    op('x', ['x1'], 1, [1], { key: 'k', ifSeq: 0 }),
    op('y', ['y1'], 1, [2]),
    op('x', ['x2', 'x3'], 5, [3, 4]),
    op('y', ['y2'], 7, [], { answers: [{ outcome: 'refused', code: 'conflict' }], key: 'k', ifSeq: 1 }),
  ],
  runs: [run('x', EVENTS.slice(0, 2)), run('x', EVENTS.slice(1)), run('y', EVENTS)],
  logs: [{ account: 'a', stream: 'zones', head: 4, events: EVENTS }],
};
const kinds = (history: History): readonly FaultKind[] => [...new Set(faultsIn(history).map(({ kind }) => kind))];
const withLog = (events: readonly SeenEvent[], head = events.length): History => ({
  ...GOOD,
  runs: [],
  logs: [{ account: 'a', stream: 'zones', head, events }],
});
const withOps = (...published: readonly PublishOp[]): History => ({ ...GOOD, published });
const withRuns = (...runs: History['runs']): History => ({ ...GOOD, runs });

describe('the checker of histories', () => {
  it('finds nothing in a good one', () => {
    expect(faultsIn(GOOD)).toEqual([]);
  });

  const second = op('x', ['x1'], 1, [1], { key: 'k', ifSeq: 0 });
  const others = GOOD.published.slice(1);
  const bad: readonly [FaultKind, string, History][] = [
    ['lost', 'an acknowledged event is not in the log', withLog(EVENTS.slice(0, 3))],
    ['lost', 'an answer names another seq than the log', withOps({ ...second, answers: [published([2])] }, ...others)],
    ['lost', 'half of a publish is stored', withLog([...EVENTS.slice(0, 3), event(4, 'z')])],
    ['doubled', 'an event is stored twice', withLog([...EVENTS, event(5, 'x3')])],
    ['reordered', 'a peer’s events are in another order', withOps(op('x', ['x1'], 9, [1]), ...others)],
    [
      'reordered',
      'what was published later than somebody’s answer comes before it',
      withOps(op('x', ['x1'], 9, [1]), op('y', ['y1'], 1, [2]), ...GOOD.published.slice(3)),
    ],
    ['foreign', 'an event of another account is in the log', withLog([event(1, 'x1', { from: 'b' })])],
    ['foreign', 'an application gets an event of another account', withRuns(run('x', [event(1, 'x1', { from: 'b' })]))],
    ['invented', 'nobody published an event', withLog([...EVENTS, event(5, 'nobody')])],
    ['gap', 'a seq is missing', withLog([...EVENTS.slice(0, 3), event(5, 'x3')])],
    ['gap', 'the head is not the newest event', withLog(EVENTS, 5)],
    ['gap', 'the numbering began anew', withLog([...EVENTS.slice(0, 3), event(4, 'x3', { epoch: 'e2' })])],
    ['other order', 'an application is told another event under a seq', withRuns(run('x', [event(1, 'y1')]))],
    ['not once', 'an application gets an event twice', withRuns(run('y', [event(1, 'x1'), event(1, 'x1')]))],
    ['not once', 'an application misses one', withRuns(run('y', [event(1, 'x1'), event(3, 'x2')]))],
    [
      'not once',
      'the next run of an application misses one',
      withRuns(run('y', [event(1, 'x1')]), run('y', [event(3, 'x2')])),
    ],
    ['not once', 'they come in the wrong order', withRuns(run('y', [event(2, 'y1'), event(1, 'x1')]))],
    ['not caught up', 'an application misses the end', withRuns(run('y', EVENTS.slice(0, 3)))],
    [
      'conflict ignored',
      'a publish went on top of another event',
      withOps(op('x', ['x2', 'x3'], 5, [3, 4], { key: 'k', ifSeq: 0 })),
    ],
    [
      'conflict ignored',
      'two publishes on top of the same head succeed',
      withOps(op('y', ['y1'], 1, [2], { ifSeq: 0 }), op('x', ['x1'], 1, [1], { ifSeq: 0 })),
    ],
    [
      'refused but stored',
      'a refused publish is stored',
      withOps({ ...second, answers: [{ outcome: 'refused', code: 'conflict' }] }),
    ],
    [
      'answers differ',
      'a repetition is answered differently',
      withOps({ ...second, answers: [published([1]), published([1, 2])] }),
    ],
  ];
  it.each(bad)('notices “%s” when %s', (kind, _what, history) => {
    expect(kinds(history)).toContain(kind);
  });
});

function published(seqs: readonly number[]): PublishOp['answers'][number] {
  return { outcome: 'published', epoch: 'e1', seqs };
}
