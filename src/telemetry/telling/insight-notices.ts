import type { Notice } from '../../notifications/index.ts';
import type { Serial } from '../../platform/ids.ts';
import { type Insight, type InsightBasis, insightName } from '../insights/insight.ts';

/** What rests on these was told with the upload that brought it. */
const TOLD_AT_ONCE: ReadonlySet<InsightBasis> = new Set(['alarm', 'status', 'hydraulic_status']);
/** What is older is no news; and a cause that is not reported any more is forgotten after 40 days. */
const NEW_MS = 30 * 24 * 60 * 60_000;

/**
 * What an owner is told of an insight; undefined if it is no news: locks and alarms are told with their upload, and litres are
 * for those who look.
 */
export function insightNotice(serial: Serial, insight: Insight, now: number): Notice | undefined {
  const { severity, since: at } = insight;
  const topic = topicOf(insight);
  if (topic === undefined || at < now - NEW_MS) return undefined;
  return { ...topic, severity, cause: `${serial}#${causeOf(insight)}`, at, serial };
}

/** When a history will be full changes with each look: an owner who seldom comes is told once a month. */
function causeOf(insight: Insight): string {
  if (insight.kind !== 'history_at_risk') return insightName(insight);
  return `${insight.kind}-${insight.channel}-${new Date(insight.since).toISOString().slice(0, 7)}`;
}

function topicOf({ kind, channel, restsOn, facts }: Insight): Pick<Notice, 'kind' | 'topic' | 'facts'> | undefined {
  const isTold = restsOn.some((basis) => TOLD_AT_ONCE.has(basis));
  const zone = channel === null ? {} : { channel };
  switch (kind) {
    case 'leak':
      return isTold ? undefined : { kind: 'leak', topic: 'valves-shut', facts: {} };
    case 'no_flow':
      return isTold ? undefined : { kind: 'no_flow', topic: 'channel', facts: zone };
    case 'frost': {
      const { coldest_celsius: temperature } = facts;
      return isTold || temperature === undefined ? undefined : { kind: 'frost', topic: 'cold', facts: { temperature } };
    }
    case 'high_use':
      return isTold
        ? undefined
        : { kind: 'insight', topic: 'high-use', facts: { ...zone, percent: facts['percent'] ?? 0 } };
    case 'dry_spell':
      return { kind: 'insight', topic: 'dry-spell', facts: { days: facts['days'] ?? 0 } };
    case 'flat_line':
      return { kind: 'insight', topic: 'flat-line', facts: {} };
    case 'silent_sensor':
      return { kind: 'insight', topic: 'silent-sensor', facts: {} };
    case 'clock_lost':
      return { kind: 'insight', topic: 'clock-lost', facts: {} };
    case 'interrupted':
      return { kind: 'insight', topic: 'interrupted', facts: { runs: facts['runs'] ?? 1 } };
    case 'unheard':
      return { kind: 'unheard', topic: 'silent', facts: { days: facts['days'] ?? 0 } };
    case 'history_at_risk':
      return { kind: 'history_at_risk', topic: 'channel', facts: zone };
    case 'lock':
    case 'saved':
    case 'water_use':
      return undefined;
  }
}
