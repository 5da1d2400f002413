import type { StatsView } from './show-stats.ts';

/** When a rollout may be widened. */
export interface WideningRule {
  /** Shares of the devices, in percent, rising; the last one is where it ends. */
  readonly steps: readonly number[];
  /** Percent of the devices of a step that must have finished before the next one begins. */
  readonly settledPct: number;
  /** Devices that must have finished in any case, as far as there are so many. */
  readonly minFinished: number;
  /** Percent of the finished ones that may have failed; more, and somebody has to look. */
  readonly maxFailurePct: number;
}

export type Decision =
  | { readonly kind: 'widen'; readonly toPct: number; readonly reason: string }
  | { readonly kind: 'wait'; readonly reason: string }
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'done'; readonly reason: string };

type Counts = Pick<StatsView, 'state' | 'eligible' | 'finished' | 'failures' | 'finished_failure_pct'>;

/** What to do with a rollout that stands at a share, by what came of it so far. */
export function nextStep(stats: Counts, standsAtPct: number, rule: WideningRule): Decision {
  const { state, eligible, finished, failures, finished_failure_pct: failurePct } = stats;
  if (state !== 'published') return { kind: 'stop', reason: `the release is ${state}` };
  const counts = `${finished} of about ${eligible} devices finished, ${failures} failed`;
  if (failures > 0 && failurePct > rule.maxFailurePct) {
    return { kind: 'stop', reason: `${failurePct} % failed, and ${rule.maxFailurePct} % may (${counts})` };
  }
  const toPct = rule.steps.find((step) => step > standsAtPct);
  if (toPct === undefined) return { kind: 'done', reason: `it is out to ${standsAtPct} % (${counts})` };
  const needed = Math.max(Math.ceil((eligible * rule.settledPct) / 100), Math.min(rule.minFinished, eligible));
  if (finished < needed) return { kind: 'wait', reason: `${needed} have to finish at ${standsAtPct} % (${counts})` };
  return { kind: 'widen', toPct, reason: counts };
}
