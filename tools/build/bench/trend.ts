import { median } from './statistics.ts';

/** One night: each route's rate as a share of the no-op route's in the same run, because machines differ. */
export interface Night {
  readonly commit: string;
  readonly at: string;
  readonly shares: Readonly<Record<string, number>>;
}

export interface Measured {
  readonly route: string;
  readonly inProcess: { readonly perSecond: number };
}

/** @param noop the rate of a route that does nothing, in the same run */
export function nightOf(routes: readonly Measured[], noop: number, commit: string, at: string): Night {
  const shares = routes.map(({ route, inProcess }) => [route, inProcess.perSecond / noop] as const);
  return { commit, at, shares: Object.fromEntries(shares) };
}

export interface TrendRow {
  readonly route: string;
  readonly share: number;
  /** The median of the nights before; undefined for a route that is new. */
  readonly before: number | undefined;
  /** How much less than before, 0.2 is a fifth; below 0 it is more. */
  readonly loss: number;
}

/** Nights that are compared with: enough that one noisy machine does not count, few enough that a change shows. */
const NIGHTS = 7;

/** This night beside those before, what has lost most first. */
export function trend(tonight: Night, before: readonly Night[]): readonly TrendRow[] {
  const recent = before.slice(-NIGHTS);
  return Object.entries(tonight.shares)
    .map(([route, share]) => {
      const known = recent.flatMap(({ shares }) => (shares[route] === undefined ? [] : [shares[route]]));
      const usual = known.length === 0 ? undefined : median(known);
      return { route, share, before: usual, loss: usual === undefined ? 0 : 1 - share / usual };
    })
    .sort((a, b) => b.loss - a.loss);
}

/** A loss that is worth a look; nothing fails by it, since machines are noisy. */
const NOTABLE = 0.2;

/** The rows as a Markdown table. */
export function trendTable(rows: readonly TrendRow[], { commit }: Night): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const cells = rows.map(({ route, share, before, loss }) => [
    loss >= NOTABLE ? `**${route}**` : route,
    percent(share),
    before === undefined ? 'new' : percent(before),
    before === undefined ? '' : `${loss > 0 ? '−' : '+'}${percent(Math.abs(loss))}`,
  ]);
  return [
    `## Rates as shares of the no-op route, ${commit.slice(0, 12)}`,
    '',
    '| Route | tonight | usually | change |',
    '|---|---|---|---|',
    ...cells.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}
