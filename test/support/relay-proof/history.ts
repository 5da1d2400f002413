/** What a peer published, and how it ended. Times are any rising numbers. */
export interface PublishOp {
  readonly account: string;
  readonly peer: string;
  readonly stream: string;
  readonly ids: readonly string[];
  readonly key?: string | undefined;
  readonly ifSeq?: number | undefined;
  readonly begun: number;
  /** When the first answer came; undefined: none did. */
  readonly ended?: number | undefined;
  /** Every answer, repetitions of the same frame included. */
  readonly answers: readonly Answer[];
}

export type Answer =
  | { readonly outcome: 'published'; readonly epoch: string; readonly seqs: readonly number[] }
  /** A refusal after which it must not be in the log. */
  | { readonly outcome: 'refused'; readonly code: string };

/** An event as somebody got it, or as the log has it. */
export interface SeenEvent {
  readonly epoch: string;
  readonly seq: number;
  readonly id: string;
  /** The account that it was published in, as its payload says. */
  readonly from: string;
  readonly key?: string | undefined;
}

/** What one run of an application was handed of one stream. The runs of a peer follow each other. */
export interface Run {
  readonly account: string;
  readonly peer: string;
  readonly stream: string;
  readonly events: readonly SeenEvent[];
  /** It ended before there was all there is. */
  readonly isPartial?: boolean;
}

export interface Log {
  readonly account: string;
  readonly stream: string;
  readonly head: number;
  readonly events: readonly SeenEvent[];
}

export interface History {
  readonly published: readonly PublishOp[];
  readonly runs: readonly Run[];
  /** What is stored at the end, when everybody has had the time to catch up. */
  readonly logs: readonly Log[];
}

export type FaultKind =
  | 'lost'
  | 'doubled'
  | 'reordered'
  | 'foreign'
  | 'invented'
  | 'gap'
  | 'other order'
  | 'not once'
  | 'not caught up'
  | 'conflict ignored'
  | 'refused but stored'
  | 'answers differ';

export interface HistoryFault {
  readonly kind: FaultKind;
  readonly what: string;
}

/** Everything that must not be in a history, as a checker of Jepsen's would find it. Pure. */
export function faultsIn(history: History): readonly HistoryFault[] {
  return [
    ...history.logs.flatMap((log) => inLog(log, history)),
    ...history.published.flatMap((op) => inAnswers(op, logOf(history, op))),
    ...history.logs.flatMap((log) => inOrder(log, history)),
    ...readersOf(history).flatMap((runs) => inRuns(runs, logOf(history, runs[0]))),
  ];
}

const NO_LOG: Omit<Log, 'account' | 'stream'> = { head: 0, events: [] };

function logOf({ logs }: History, of: Pick<Run, 'account' | 'stream'> | undefined): Omit<Log, 'account' | 'stream'> {
  return logs.find(({ account, stream }) => account === of?.account && stream === of.stream) ?? NO_LOG;
}

function inLog({ account, stream, head, events }: Log, { published }: History): readonly HistoryFault[] {
  const where = `${account}/${stream}`;
  const own = published.filter((op) => op.account === account && op.stream === stream);
  const made = new Set(own.flatMap(({ ids }) => ids));
  const faults: HistoryFault[] = [];
  const seen = new Set<string>();
  for (const [index, { seq, id, from }] of events.entries()) {
    if (seq !== index + 1) faults.push({ kind: 'gap', what: `${where}: seq ${seq} is event ${index + 1}` });
    if (seen.has(id)) faults.push({ kind: 'doubled', what: `${where}: ${id} again at ${seq}` });
    seen.add(id);
    if (from !== account) faults.push({ kind: 'foreign', what: `${where}: ${id} of ${from} at ${seq}` });
    else if (!made.has(id)) faults.push({ kind: 'invented', what: `${where}: ${id} at ${seq}` });
  }
  if (head !== events.length) faults.push({ kind: 'gap', what: `${where}: head ${head}, ${events.length} events` });
  if (new Set(events.map(({ epoch }) => epoch)).size > 1) faults.push({ kind: 'gap', what: `${where}: two epochs` });
  return faults;
}

/** Each answer against the log, and the answers to the same frame against each other. */
function inAnswers(op: PublishOp, log: Pick<Log, 'events'>): readonly HistoryFault[] {
  const what = `${op.account}/${op.stream}: ${op.ids.join()} of ${op.peer}`;
  const faults: HistoryFault[] = [];
  const stored = log.events.filter(({ id }) => op.ids.includes(id));
  for (const answer of op.answers) {
    if (answer.outcome === 'refused') {
      if (stored.length > 0) faults.push({ kind: 'refused but stored', what: `${what} (${answer.code})` });
      continue;
    }
    const isThere = op.ids.every((id, at) => {
      const event = log.events[(answer.seqs[at] ?? 0) - 1];
      return event?.id === id && event.epoch === answer.epoch;
    });
    if (!isThere || answer.seqs.length !== op.ids.length) faults.push({ kind: 'lost', what });
  }
  if (new Set(op.answers.map((answer) => JSON.stringify(answer))).size > 1) {
    faults.push({ kind: 'answers differ', what: `${what}: ${JSON.stringify(op.answers)}` });
  }
  // All of them or none, one behind the other.
  const seqs = stored.map(({ seq }) => seq);
  if (seqs.length > 0 && (seqs.length < op.ids.length || seqs.some((seq, at) => seq !== (seqs[0] ?? 0) + at))) {
    faults.push({ kind: 'lost', what: `${what}: only ${seqs.join()} of ${op.ids.length} together` });
  }
  const first = stored[0];
  if (op.ifSeq !== undefined && first !== undefined) {
    const before = log.events.filter(({ seq, key }) => seq < first.seq && (op.key === undefined || key === op.key));
    const newest = before.at(-1)?.seq ?? 0;
    if (newest !== op.ifSeq) {
      faults.push({ kind: 'conflict ignored', what: `${what}: at ${first.seq} on ${newest}, not on ${op.ifSeq}` });
    }
  }
  return faults;
}

/** A peer's own order, and that of publishes that did not overlap. */
function inOrder({ account, stream, events }: Log, { published }: History): readonly HistoryFault[] {
  const seqOf = new Map(events.map(({ id, seq }) => [id, seq]));
  const own = published
    .filter((op) => op.account === account && op.stream === stream)
    .flatMap((op) => {
      const [first] = op.ids.flatMap((id) => seqOf.get(id) ?? []);
      return first === undefined ? [] : [{ ...op, first }];
    });
  return own.flatMap((later) =>
    own
      .filter(
        (earlier) =>
          earlier.first > later.first &&
          (earlier.peer === later.peer
            ? earlier.begun < later.begun
            : earlier.ended !== undefined && earlier.ended < later.begun),
      )
      .map((earlier) => ({
        kind: 'reordered' as const,
        what: `${account}/${stream}: ${earlier.ids.join()} of ${earlier.peer} behind ${later.ids.join()} of ${later.peer}`,
      })),
  );
}

function readersOf({ runs }: History): readonly (readonly Run[])[] {
  const byReader = new Map<string, Run[]>();
  for (const run of runs) {
    const reader = JSON.stringify([run.account, run.peer, run.stream]);
    byReader.set(reader, [...(byReader.get(reader) ?? []), run]);
  }
  return [...byReader.values()];
}

/** Once and in order within a run; the next one goes on behind what was read before, maybe with what was not noted. */
function inRuns(runs: readonly Run[], log: Pick<Log, 'head' | 'events'>): readonly HistoryFault[] {
  const faults: HistoryFault[] = [];
  let reached = 0;
  for (const { account, peer, stream, events } of runs) {
    const where = `${account}/${stream} by ${peer}`;
    for (const [index, event] of events.entries()) {
      const before = events[index - 1]?.seq;
      if (before === undefined ? event.seq > reached + 1 : event.seq !== before + 1) {
        faults.push({ kind: 'not once', what: `${where}: ${event.seq} behind ${before ?? reached}` });
      }
      const stored = log.events[event.seq - 1];
      if (event.from !== account) faults.push({ kind: 'foreign', what: `${where}: ${event.id} of ${event.from}` });
      else if (stored?.id !== event.id || stored.epoch !== event.epoch) {
        faults.push({ kind: 'other order', what: `${where}: ${event.id} at ${event.seq}, where ${stored?.id} is` });
      }
    }
    reached = Math.max(reached, events.at(-1)?.seq ?? 0);
  }
  const [first] = runs;
  if (reached < log.head && first !== undefined && first.isPartial !== true) {
    const { account, peer, stream } = first;
    faults.push({ kind: 'not caught up', what: `${account}/${stream} by ${peer}: ${reached} of ${log.head}` });
  }
  return faults;
}
