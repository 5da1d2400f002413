import { median } from './statistics.ts';

/** One night: rates as ratios to a baseline's in the same run, because machines differ. */
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

/** What a handler's benchmark says of a route: its rate by each baseline's, measured in turns. */
export interface MeasuredHandler {
  readonly route: string;
  readonly ratios: Readonly<Record<string, number>>;
}

/** The night with our handler's ratios beside the in-process shares. */
export function withHandlers(night: Night, routes: readonly MeasuredHandler[]): Night {
  const ratios = routes.flatMap(({ route, ratios: each }) =>
    Object.entries(each).map(([baseline, ratio]) => [`${route}, by ${baseline}`, ratio] as const),
  );
  return { ...night, shares: { ...night.shares, ...Object.fromEntries(ratios) } };
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
const NOTABLE = 0.1;

/** Rows that have got worse by more than a tenth. */
export function notable(rows: readonly TrendRow[]): readonly TrendRow[] {
  return rows.filter(({ loss }) => loss > NOTABLE);
}

/** The rows as a Markdown table, below a sentence that says what got worse. */
export function trendTable(rows: readonly TrendRow[], { commit }: Night): string {
  const cells = rows.map(({ route, share, before, loss }) => [
    loss > NOTABLE ? `**${route}**` : route,
    percent(share),
    before === undefined ? 'new' : percent(before),
    before === undefined ? '' : `${loss > 0 ? '−' : '+'}${percent(Math.abs(loss))}`,
  ]);
  const worse = notable(rows).length;
  return [
    `## Rates by the baselines' rates, ${commit.slice(0, 12)}`,
    '',
    worse === 0
      ? 'Nothing got worse by more than a tenth.'
      : `${worse} of ${rows.length} got worse by more than a tenth against the median of the nights before.`,
    '',
    '| Route | tonight | usually | change |',
    '|---|---|---|---|',
    ...cells.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
}

/** A workflow command for each row that got worse: GitHub shows them as warnings. */
export function annotations(rows: readonly TrendRow[]): readonly string[] {
  return notable(rows).map(
    ({ route, share, before = share, loss }) =>
      `::warning title=Slower than usual::${route}: ${percent(share)} tonight, ${percent(before)} usually (−${percent(loss)})`,
  );
}

function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 1 || value === 0 ? value.toFixed(1) : value.toPrecision(2)} %`;
}
