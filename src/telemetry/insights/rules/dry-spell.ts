import { measuredIn } from '../../reading/weather-rows.ts';
import type { Insight } from '../insight.ts';
import type { InsightRule } from '../observed.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Less than that does not reach the roots. */
const RAINY_MM = 1;
const LEAST_DAYS = 14;
/** For how long before a spell its gauge must have measured rain: one that never did may be dead, or missing. */
const PROVEN_MS = 60 * DAY_MS;

/** Days in a row without rain, by a gauge that has shown that it works. Days of which nothing is known end a spell. */
export const drySpell: InsightRule = ({ rainDays, to }) => {
  const days = measuredIn(rainDays, 'rain').filter(({ isWhole }) => isWhole);
  const spells: Insight[] = [];
  let first: number | undefined;
  let rainedAt = Number.NEGATIVE_INFINITY;
  const end = (since: number, last: number) => {
    const length = (last - since) / DAY_MS + 1;
    if (length < LEAST_DAYS || since - rainedAt > PROVEN_MS) return;
    const goesOn = last + 3 * DAY_MS > to;
    spells.push({
      ...{ kind: 'dry_spell', channel: null, severity: 'info', since, until: goesOn ? null : last + DAY_MS },
      ...{ restsOn: ['rain_days'], isEstimate: false, facts: { days: length } },
    });
  };
  let before = Number.NEGATIVE_INFINITY;
  for (const { at, value } of days) {
    if (first !== undefined && (value >= RAINY_MM || at - before > DAY_MS)) {
      end(first, before);
      first = undefined;
    }
    if (value >= RAINY_MM) rainedAt = at;
    else first ??= at;
    before = at;
  }
  if (first !== undefined) end(first, before);
  return spells;
};
