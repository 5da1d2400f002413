export const INSIGHT_KINDS = [
  'water_use',
  'saved',
  'dry_spell',
  'high_use',
  'leak',
  'no_flow',
  'lock',
  'frost',
  'flat_line',
  'silent_sensor',
  'clock_lost',
  'interrupted',
  'unheard',
  'history_at_risk',
] as const;
export type InsightKind = (typeof INSIGHT_KINDS)[number];

/** What an insight rests on. */
export const INSIGHT_BASES = [
  'alarm',
  'status',
  'hydraulic_status',
  'flow_meter',
  'watched_runs',
  'runs',
  'skip_rows',
  'roll_ups',
  'rain_days',
  'weather_hours',
  'weather_days',
  'weather_sensor',
  'clock',
  'uptime',
  'visits',
] as const;
export type InsightBasis = (typeof INSIGHT_BASES)[number];

/** Something worth knowing that the evidence says about a device, for as long as it was so. */
export interface Insight {
  readonly kind: InsightKind;
  /** 0 to 7; null if it is about the whole device, or the zone is not known. */
  readonly channel: number | null;
  readonly severity: 'info' | 'warning' | 'danger' | 'critical';
  /** The first evidence, in milliseconds since 1970. */
  readonly since: number;
  /** When it was over, or last seen if nobody saw it end; null while it goes on. */
  readonly until: number | null;
  readonly restsOn: readonly InsightBasis[];
  /** Whether its figures are estimated. */
  readonly isEstimate: boolean;
  /** Numbers and short words, by names that say the unit (docs/telemetry.md lists them). */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** What an insight is of, whatever its figures are by now: the same for every look at the same evidence. */
export function insightName({ kind, channel, since }: Pick<Insight, 'kind' | 'channel' | 'since'>): string {
  return `${kind}-${channel ?? 'device'}-${since}`;
}
