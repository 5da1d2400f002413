import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { AggregationType, MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Metrics } from './metrics.ts';

/** In milliseconds, from a health check to the function's timeout. */
const BUCKETS_MS = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000];

/** Creates metrics in Prometheus' text format, for the local stack. */
export function createPrometheusMetrics(): Metrics & { text(): Promise<string> } {
  // The exporter only collects; the API serves the page.
  const reader = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({
    readers: [reader],
    views: [
      {
        instrumentUnit: 'ms',
        aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: BUCKETS_MS } },
      },
    ],
  });
  const meter = provider.getMeter('backend');
  const serializer = new PrometheusSerializer('', false, undefined, true, true);
  const instruments = new Map<string, (value: number, dimensions: Readonly<Record<string, string>>) => void>();
  /** Instruments are created with their first value. */
  const instrument = (name: string, make: () => (value: number, of: Readonly<Record<string, string>>) => void) => {
    const known = instruments.get(name) ?? make();
    instruments.set(name, known);
    return known;
  };

  return {
    count(name, dimensions = {}, value = 1) {
      instrument(name, () => {
        const counter = meter.createCounter(prometheusName(name));
        return (more, of) => counter.add(more, of);
      })(value, dimensions);
    },
    duration(name, ms, dimensions = {}) {
      instrument(name, () => {
        const histogram = meter.createHistogram(prometheusName(name), { unit: 'ms' });
        return (value, of) => histogram.record(value, of);
      })(ms, dimensions);
    },
    gauge(name, value, dimensions = {}) {
      instrument(name, () => {
        const gauge = meter.createGauge(prometheusName(name));
        return (now, of) => gauge.record(now, of);
      })(value, dimensions);
    },
    async text() {
      const { resourceMetrics } = await reader.collect();
      return serializer.serialize(resourceMetrics);
    },
  };
}

/** Converts `ProviderCircuitOpened` to `autowatering_provider_circuit_opened`. */
export function prometheusName(name: string): string {
  return `autowatering_${name.replaceAll(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()}`;
}
