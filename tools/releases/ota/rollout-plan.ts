import type { StatsView } from './show-stats.ts';

/** The conditions for widening a rollout. */
export interface WideningRule {
  /** Shares of devices in percent, ascending; the last one is the final share. */
  readonly steps: readonly number[];
  /** Percentage of a step's devices that must have finished before the next step. */
  readonly settledPct: number;
  /** Minimum number of finished devices, or all eligible ones if there are fewer. */
  readonly minFinished: number;
  /** Maximum percentage of failures among finished devices; above it, the rollout stops for review. */
  readonly maxFailurePct: number;
}

export type Decision =
  | { readonly kind: 'widen'; readonly toPct: number; readonly reason: string }
  | { readonly kind: 'wait'; readonly reason: string }
  | { readonly kind: 'stop'; readonly reason: string }
  | { readonly kind: 'done'; readonly reason: string };

type Counts = Pick<StatsView, 'state' | 'eligible' | 'finished' | 'failures' | 'finished_failure_pct'>;

/** Decides the next step of a rollout from its current share and statistics. */
export function nextStep(stats: Counts, standsAtPct: number, rule: WideningRule): Decision {
  const { state, eligible, finished, failures, finished_failure_pct: failurePct } = stats;
  if (state !== 'published') return { kind: 'stop', reason: `the release is ${state}` };
  const counts = `${finished} of about ${eligible} devices finished, ${failures} failed`;
  if (failures > 0 && failurePct > rule.maxFailurePct) {
    return { kind: 'stop', reason: `${failurePct} % failed, more than ${rule.maxFailurePct} % (${counts})` };
  }
  const toPct = rule.steps.find((step) => step > standsAtPct);
  if (toPct === undefined) return { kind: 'done', reason: `rolled out to ${standsAtPct} % (${counts})` };
  const needed = Math.max(Math.ceil((eligible * rule.settledPct) / 100), Math.min(rule.minFinished, eligible));
  if (finished < needed) return { kind: 'wait', reason: `${needed} must finish at ${standsAtPct} % (${counts})` };
  return { kind: 'widen', toPct, reason: counts };
}
