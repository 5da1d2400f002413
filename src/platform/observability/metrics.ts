import { MetricUnit, Metrics as PowertoolsMetrics } from '@aws-lambda-powertools/metrics';

/** Counts and durations. Dimensions stay bounded: a route or an outcome, never a user, a serial or an address. */
export interface Metrics {
  count(name: string, dimensions?: Readonly<Record<string, string>>): void;
  duration(name: string, ms: number, dimensions?: Readonly<Record<string, string>>): void;
  /** A number as it stands now, whose largest or smallest counts and not its sum. */
  gauge(name: string, value: number, dimensions?: Readonly<Record<string, string>>): void;
}

/** CloudWatch embedded metric format by Powertools: a line on stdout per metric, no call on the way. */
export function createMetrics(env: string): Metrics {
  const metrics = new PowertoolsMetrics({
    namespace: 'AutoWatering',
    serviceName: 'backend',
    defaultDimensions: { environment: env },
  });
  const add = (name: string, unit: (typeof MetricUnit)[keyof typeof MetricUnit], value: number, dimensions = {}) => {
    const single = metrics.singleMetric();
    for (const [dimension, of] of Object.entries(dimensions)) single.addDimension(dimension, String(of));
    single.addMetric(name, unit, value);
  };
  return {
    count: (name, dimensions) => add(name, MetricUnit.Count, 1, dimensions),
    duration: (name, ms, dimensions) => add(name, MetricUnit.Milliseconds, ms, dimensions),
    gauge: (name, value, dimensions) => add(name, MetricUnit.NoUnit, value, dimensions),
  };
}
