import type { LearnedFlow } from '../settings.ts';

/** Runs that must agree before a flow counts as learned. */
const STABLE_RUNS = 3;
const SHORTEST_MS = 60_000;
const AGREES = 0.1;

/**
 * Learns a channel's usual flow from a run that went well.
 *
 * @returns whether it learned anything
 */
export function learnFrom(learned: LearnedFlow, ml: number, ms: number): boolean {
  if (isCalibrated(learned) || ms < SHORTEST_MS || ml === 0) return false;
  const flow = Math.round((ml * 60_000) / ms);
  const agrees = Math.abs(flow - learned.nominalMlMin) <= learned.nominalMlMin * AGREES;
  learned.learningRuns = Math.min(255, learned.learningRuns + 1);
  learned.stableRuns = agrees ? learned.stableRuns + 1 : 1;
  learned.nominalMlMin = agrees ? Math.round((learned.nominalMlMin + flow) / 2) : flow;
  return true;
}

export function isCalibrated(learned: LearnedFlow): boolean {
  return learned.stableRuns >= STABLE_RUNS;
}
