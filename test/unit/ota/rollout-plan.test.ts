import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextStep } from '../../../tools/releases/ota/rollout-plan.ts';

const rule = { steps: [5, 25, 100], settledPct: 30, minFinished: 20, maxFailurePct: 5 };
const stats = (
  finished: number,
  failures = 0,
  eligible = 1000,
  state: 'published' | 'paused' | 'halted' = 'published',
) => ({
  ...{ state, eligible, finished, failures },
  finished_failure_pct: finished === 0 ? 0 : (100 * failures) / finished,
});

describe('a stepwise rollout', () => {
  it('waits until enough devices have finished, then takes the next step', () => {
    expect(nextStep(stats(299), 5, rule)).toMatchObject({ kind: 'wait' });
    expect(nextStep(stats(300), 5, rule)).toMatchObject({ kind: 'widen', toPct: 25 });
    expect(nextStep(stats(300), 25, rule)).toMatchObject({ kind: 'widen', toPct: 100 });
    expect(nextStep(stats(300), 100, rule)).toMatchObject({ kind: 'done' });
  });

  it('never waits for more devices than a small fleet has', () => {
    expect(nextStep(stats(7, 0, 8), 5, rule)).toMatchObject({ kind: 'wait' });
    expect(nextStep(stats(8, 0, 8), 5, rule)).toMatchObject({ kind: 'widen' });
    expect(nextStep(stats(0, 0, 0), 5, rule)).toMatchObject({ kind: 'widen' });
  });

  it('continues from between two steps with the next higher one', () => {
    expect(nextStep(stats(500), 7, rule)).toMatchObject({ kind: 'widen', toPct: 25 });
  });

  it('stops after too many failures, or when the release is paused or halted', () => {
    expect(nextStep(stats(100, 6), 5, rule)).toMatchObject({ kind: 'stop', reason: expect.stringContaining('6 %') });
    expect(nextStep(stats(100, 6), 100, rule)).toMatchObject({ kind: 'stop' });
    for (const state of ['paused', 'halted'] as const) {
      expect(nextStep(stats(900, 0, 1000, state), 5, rule)).toMatchObject({ kind: 'stop' });
    }
  });

  it('never takes a step with too many failures, or one that does not rise', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(2000), fc.nat(100), fc.nat(100), (finished, failing, at, maxFailurePct) => {
        const failures = Math.min(finished, failing);
        const decision = nextStep(stats(finished, failures), at, { ...rule, maxFailurePct });
        if (decision.kind !== 'widen') return;
        expect(decision.toPct).toBeGreaterThan(at);
        expect(finished === 0 ? 0 : (100 * failures) / finished).toBeLessThanOrEqual(maxFailurePct);
      }),
    );
  });
});
