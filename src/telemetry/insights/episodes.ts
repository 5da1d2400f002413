import type { InsightBasis } from './insight.ts';

/** A piece of evidence that something is so at a moment. */
export interface Signal {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly basis: InsightBasis;
  /** Until when it is so without further evidence; infinite for a state that lasts until it is seen to be over. */
  readonly lastsUntil?: number;
}

/** Evidence that something is over. */
export interface Ending {
  readonly at: number;
}

/** A time in which something was so. */
export interface Episode {
  readonly since: number;
  readonly lastAt: number;
  /** Null while it goes on. */
  readonly until: number | null;
  readonly restsOn: readonly InsightBasis[];
  readonly signals: number;
}

interface Open {
  readonly since: number;
  lastAt: number;
  lastsUntil: number;
  readonly bases: Set<InsightBasis>;
  signals: number;
}

/**
 * Puts signals together: what follows within the quiet time is the same episode. One that nobody saw end goes on for that
 * long, and is then said to have been last seen.
 *
 * @param to the moment from which it is seen; what is later is left out
 */
export function episodesOf(
  signals: readonly Signal[],
  {
    quietMs,
    to,
    endings = [],
  }: { readonly quietMs: number; readonly to: number; readonly endings?: readonly Ending[] },
): readonly Episode[] {
  const ends = endings.map(({ at }) => at).sort((one, other) => one - other);
  const episodes: Episode[] = [];
  let open: Open | undefined;
  const close = (by: number) => {
    if (open === undefined) return;
    const { since, lastAt, lastsUntil, bases, signals: count } = open;
    const end = ends.find((at) => at > lastAt && at <= by);
    const goesOn = Math.min(by, Math.max(lastsUntil, lastAt + quietMs)) >= to;
    const lastSeen = Number.isFinite(lastsUntil) ? Math.max(lastAt, Math.min(lastsUntil, to)) : lastAt;
    episodes.push({
      ...{ since, lastAt, signals: count, restsOn: [...bases] },
      until: end !== undefined ? end : goesOn ? null : lastSeen,
    });
    open = undefined;
  };
  for (const { at, basis, lastsUntil = at } of [...signals].sort((one, other) => one.at - other.at)) {
    if (at > to) break;
    if (open !== undefined) {
      const { lastAt } = open;
      const isOver = ends.some((end) => end > lastAt && end <= at);
      if (isOver || at > Math.max(open.lastsUntil, lastAt + quietMs)) close(at);
    }
    open ??= { since: at, lastAt: at, lastsUntil, bases: new Set(), signals: 0 };
    open.lastAt = Math.max(open.lastAt, at);
    open.lastsUntil = lastsUntil;
    open.bases.add(basis);
    open.signals += 1;
  }
  close(to);
  return episodes;
}
