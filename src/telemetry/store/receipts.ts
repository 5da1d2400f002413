/** From one day to another, ends included, as days since 1970. */
export type DaySpan = readonly [first: number, last: number];

/** The classes of records that rows, sessions and live samples are in. What is stored has them in this order: add to the end. */
export const RECEIVED = ['hours', 'days', 'rows', 'live'] as const;
export type Received = (typeof RECEIVED)[number];

/**
 * What came in from a device on one day, as far as one must know to find it again: the archive is by day of receipt. Spans only, so
 * that it takes next to no room in an item that is written anyway; what is found by it may be a little more.
 */
export interface Receipt {
  /** The day of receipt, as days since 1970. */
  readonly day: number;
  /** The days that the rows, sessions and samples are of, by the class of their records. */
  readonly of: Readonly<Partial<Record<Received, DaySpan>>>;
  readonly hasLostClock: boolean;
  /** When they were read from the device. */
  readonly readOn: DaySpan;
}

/** How many days of receipt are remembered. An archive that falls behind by more looks everywhere. */
export const KEPT_RECEIPTS = 5;

/** Joins receipts by day: any order gives the same. */
export function joinReceipts(known: readonly Receipt[], added: readonly Receipt[]): readonly Receipt[] {
  const days = new Map<number, Receipt>();
  for (const one of [...known, ...added]) {
    const before = days.get(one.day);
    days.set(one.day, before === undefined ? one : joinTwo(before, one));
  }
  return [...days.values()].sort((one, other) => other.day - one.day).slice(0, KEPT_RECEIPTS);
}

function joinTwo(one: Receipt, other: Receipt): Receipt {
  const of: Partial<Record<Received, DaySpan>> = {};
  for (const name of RECEIVED) {
    const span = joinSpans(one.of[name], other.of[name]);
    if (span !== undefined) of[name] = span;
  }
  return {
    ...{ day: one.day, of, hasLostClock: one.hasLostClock || other.hasLostClock },
    readOn: joinSpans(one.readOn, other.readOn) ?? one.readOn,
  };
}

export function joinSpans(one: DaySpan | undefined, other: DaySpan | undefined): DaySpan | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return [Math.min(one[0], other[0]), Math.max(one[1], other[1])];
}

/** As it is stored: numbers with spaces between them, a line a day. */
export function writeReceipts(receipts: readonly Receipt[]): string {
  return receipts
    .map(({ day, of, hasLostClock, readOn }) =>
      [day, Number(hasLostClock), ...[readOn, ...RECEIVED.map((name) => of[name])].map(spanText)].join(' '),
    )
    .join('\n');
}

/** Reads what `writeReceipts` wrote. */
export function readReceipts(text: string): readonly Receipt[] {
  return text.split('\n').flatMap((line) => {
    const [day, hasLostClock, read, ...spans] = line.split(' ');
    const readOn = toSpan(read);
    if (day === undefined || readOn === undefined) return [];
    const of = Object.fromEntries(
      RECEIVED.flatMap((name, index) => {
        const span = toSpan(spans[index]);
        return span === undefined ? [] : [[name, span]];
      }),
    );
    return [{ day: Number(day), of, hasLostClock: hasLostClock === '1', readOn }];
  });
}

function spanText(span: DaySpan | undefined): string {
  if (span === undefined) return '-';
  return span[0] === span[1] ? `${span[0]}` : `${span[0]}+${span[1] - span[0]}`;
}

function toSpan(text: string | undefined): DaySpan | undefined {
  if (text === undefined || text === '-' || text === '') return undefined;
  const [first = Number.NaN, more = 0] = text.split('+').map(Number);
  return [first, first + more];
}
