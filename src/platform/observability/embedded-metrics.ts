/** One value of one metric. */
export interface MetricValue {
  readonly name: string;
  readonly unit: 'Count' | 'Milliseconds' | 'None';
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
}

interface Directive {
  readonly Namespace: 'AutoWatering';
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit: MetricValue['unit'] }[];
}

/** The members of a log line that CloudWatch reads as metrics. */
export type EmbeddedMetrics = Readonly<Record<string, unknown>> & {
  readonly _aws: { readonly Timestamp: number; readonly CloudWatchMetrics: readonly Directive[] };
};

/**
 * Packs metrics into as few log lines as possible, following the embedded metric format: values and dimensions are
 * members of the line, and directives say which belong together. A line can hold each name only once, so a second value
 * of a metric or dimension starts another line.
 *
 * @param now milliseconds since 1970
 */
export function embeddedMetrics(
  environment: string,
  metrics: readonly MetricValue[],
  now: number,
): readonly EmbeddedMetrics[] {
  const lines: Line[] = [];
  for (const metric of metrics) {
    const line = lines.find((one) => fits(one, metric)) ?? begin(environment, lines);
    put(line, metric);
  }
  return lines.map(({ members, directives }) => ({
    _aws: { Timestamp: now, CloudWatchMetrics: directives },
    ...members,
  }));
}

interface Line {
  readonly members: Record<string, string | number>;
  readonly directives: Directive[];
}

/** Dimensions of every metric. */
const COMMON = ['environment', 'service'] as const;

function begin(environment: string, lines: Line[]): Line {
  const line: Line = { members: { environment, service: 'backend' }, directives: [] };
  lines.push(line);
  return line;
}

function fits({ members }: Line, { name, dimensions }: MetricValue): boolean {
  if (Object.hasOwn(members, name)) return false;
  for (const dimension in dimensions) {
    if (Object.hasOwn(members, dimension) && members[dimension] !== dimensions[dimension]) return false;
  }
  return true;
}

function put({ members, directives }: Line, { name, unit, value, dimensions }: MetricValue): void {
  const names: string[] = [...COMMON];
  for (const dimension in dimensions) {
    names.push(dimension);
    members[dimension] = dimensions[dimension] ?? '';
  }
  members[name] = value;
  directives.push({ Namespace: 'AutoWatering', Dimensions: [names], Metrics: [{ Name: name, Unit: unit }] });
}
