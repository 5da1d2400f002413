import type { Insight } from './insight.ts';
import type { InsightRule, Observed } from './observed.ts';
import { clockLost } from './rules/clock-lost.ts';
import { drySpell } from './rules/dry-spell.ts';
import { flatLine } from './rules/flat-line.ts';
import { frost } from './rules/frost.ts';
import { highUse } from './rules/high-use.ts';
import { historyAtRisk } from './rules/history-at-risk.ts';
import { interrupted } from './rules/interrupted.ts';
import { leak } from './rules/leak.ts';
import { lock } from './rules/lock.ts';
import { noFlow } from './rules/no-flow.ts';
import { saved } from './rules/saved.ts';
import { silentSensor } from './rules/silent-sensor.ts';
import { unheard } from './rules/unheard.ts';
import { waterUse } from './rules/water-use.ts';

/** What is worse comes first. */
export const INSIGHT_RULES: readonly InsightRule[] = [
  ...[leak, noFlow, lock, highUse, silentSensor, flatLine, clockLost, interrupted],
  ...[unheard, historyAtRisk, frost, drySpell, saved, waterUse],
];

/** All that the evidence says of the stretch that is asked for: what began earlier and was over by then is left out. */
export function insightsIn(observed: Observed): readonly Insight[] {
  return INSIGHT_RULES.flatMap((rule) => rule(observed)).filter(
    ({ since, until }) => since <= observed.to && (until ?? observed.to) >= observed.from,
  );
}
