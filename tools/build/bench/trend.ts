import { median } from './statistics.ts';

/** One night's rates, as ratios to a baseline in the same run because machines differ. */
export interface Night {
  readonly commit: string;
  readonly at: string;
  readonly shares: Readonly<Record<string, number>>;
}

export interface Measured {
  readonly route: string;
  readonly inProcess: { readonly perSecond: number };
}

/** @param noop the no-op route's rate in the same run */
export function nightOf(routes: readonly Measured[], noop: number, commit: string, at: string): Night {
  const shares = routes.map(({ route, inProcess }) => [route, inProcess.perSecond / noop] as const);
  return { commit, at, shares: Object.fromEntries(shares) };
}

/** A route's rate divided by each baseline's, measured alternately. */
export interface MeasuredHandler {
  readonly route: string;
  readonly ratios: Readonly<Record<string, number>>;
}

/** Adds our handler's ratios to the in-process shares. */
export function withHandlers(night: Night, routes: readonly MeasuredHandler[]): Night {
  const ratios = routes.flatMap(({ route, ratios: each }) =>
    Object.entries(each).map(([baseline, ratio]) => [`${route}, by ${baseline}`, ratio] as const),
  );
  return { ...night, shares: { ...night.shares, ...Object.fromEntries(ratios) } };
}

export interface TrendRow {
  readonly route: string;
  readonly share: number;
  /** Median of earlier nights; undefined for a new route. */
  readonly before: number | undefined;
  /** Relative loss: 0.2 is a fifth slower, negative is faster. */
  readonly loss: number;
}

/** Nights to compare with: enough to even out a noisy machine, few enough for a change to show. */
const NIGHTS = 7;

/** Compares a night with earlier ones, largest loss first. */
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

/** A loss worth reporting. It fails nothing, since machines are noisy. */
const NOTABLE = 0.1;

/** Returns the rows that got worse by more than a tenth. */
function notable(rows: readonly TrendRow[]): readonly TrendRow[] {
  return rows.filter(({ loss }) => loss > NOTABLE);
}

/** Formats the rows as a Markdown table under a summary of what got worse. */
export function trendTable(rows: readonly TrendRow[], { commit }: Night): string {
  const cells = rows.map(({ route, share, before, loss }) => [
    loss > NOTABLE ? `**${route}**` : route,
    percent(share),
    before === undefined ? 'new' : percent(before),
    before === undefined ? '' : `${loss > 0 ? '−' : '+'}${percent(Math.abs(loss))}`,
  ]);
  const worse = notable(rows).length;
  return [
    `## Rates relative to the baselines, ${commit.slice(0, 12)}`,
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

/** Returns a workflow command for each row that got worse; GitHub shows them as warnings. */
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
