import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { embeddedMetrics, type MetricValue } from '../../../src/platform/observability/embedded-metrics.ts';
import { createRequestLine } from '../../../src/platform/observability/request-line.ts';
import { linesWritten } from '../../support/lines-written.ts';

const FACTS = {
  requestId: 'r-1',
  route: 'GET /health',
  uid: undefined,
  statusCode: 200,
  latencyMs: 12.5,
  errorCode: undefined,
  coldStart: false,
};

/** What CloudWatch reads of a line, by the format's specification: each metric with its unit, value and dimensions. */
function read(line: Readonly<Record<string, unknown>>) {
  const { _aws: aws } = line as { _aws: { CloudWatchMetrics: Directive[] } };
  return aws.CloudWatchMetrics.flatMap(({ Namespace: namespace, Dimensions: sets, Metrics: metrics }) =>
    metrics.flatMap(({ Name: name, Unit: unit }) =>
      sets.map((names) => ({
        ...{ namespace, name, unit, value: line[name] },
        dimensions: Object.fromEntries(names.map((dimension) => [dimension, line[dimension]])),
      })),
    ),
  );
}

interface Directive {
  readonly Namespace: string;
  readonly Dimensions: string[][];
  readonly Metrics: { readonly Name: string; readonly Unit: string }[];
}

const metric = fc.record({
  name: fc.constantFrom('A', 'B', 'C'),
  unit: fc.constantFrom<MetricValue['unit']>('Count', 'Milliseconds', 'None'),
  value: fc.integer({ min: 0, max: 1_000 }),
  dimensions: fc.dictionary(fc.constantFrom('reason', 'provider', 'outcome'), fc.constantFrom('x', 'y'), {
    maxKeys: 3,
  }),
});

describe('embedded metrics', () => {
  it('say of every metric what was counted, however many lines that takes', () => {
    fc.assert(
      fc.property(fc.array(metric, { maxLength: 12 }), (metrics) => {
        const lines = embeddedMetrics('test', metrics, 0);
        const expected = metrics.map(({ name, unit, value, dimensions }) => ({
          ...{ namespace: 'AutoWatering', name, unit, value },
          dimensions: { environment: 'test', service: 'backend', ...dimensions },
        }));
        const key = (one: unknown) => JSON.stringify(one, Object.keys(Object.assign({}, ...flat(one))).sort());
        expect(lines.flatMap(read).map(key).sort()).toEqual(expected.map(key).sort());
        expect(lines.length).toBeLessThanOrEqual(Math.max(metrics.length, 0));
      }),
    );
  });
});

function flat(one: unknown): object[] {
  return typeof one === 'object' && one !== null ? [one, ...Object.values(one).flatMap(flat)] : [];
}

describe("a request's line", () => {
  it('is log line and metrics in one', () => {
    const counted: MetricValue[] = [{ name: 'OtaLatest', unit: 'Count', value: 1, dimensions: { reason: 'offered' } }];
    const written = linesWritten(() => createRequestLine('test', 'INFO')(FACTS, counted));
    expect(written).toHaveLength(1);
    expect(written[0]).toMatchObject({ level: 'INFO', message: 'request', requestId: 'r-1', latencyMs: 12.5 });
    expect(read(written[0])).toEqual([
      {
        ...{ namespace: 'AutoWatering', name: 'Requests', unit: 'Count', value: 1 },
        dimensions: { environment: 'test', service: 'backend', route: 'GET /health', status: '2xx' },
      },
      {
        ...{ namespace: 'AutoWatering', name: 'Latency', unit: 'Milliseconds', value: 12.5 },
        dimensions: { environment: 'test', service: 'backend', route: 'GET /health' },
      },
      {
        ...{ namespace: 'AutoWatering', name: 'OtaLatest', unit: 'Count', value: 1 },
        dimensions: { environment: 'test', service: 'backend', reason: 'offered' },
      },
    ]);
  });

  it('gets further lines with its id for metrics that contradict each other', () => {
    const twice = ['kindwise', 'plantnet'].map(
      (provider): MetricValue => ({
        ...{ name: 'ProviderCall', unit: 'Milliseconds', value: 5, dimensions: { provider } },
      }),
    );
    const written = linesWritten(() => createRequestLine('test', 'INFO')(FACTS, twice));
    expect(written.map(({ requestId, provider }) => [requestId, provider])).toEqual([
      ['r-1', 'kindwise'],
      ['r-1', 'plantnet'],
    ]);
  });

  it('keeps its metrics where the log is quieter, and is nothing where all is silent', () => {
    const [line] = linesWritten(() => createRequestLine('test', 'WARN')(FACTS, []));
    expect(line.message).toBeUndefined();
    expect(line.Requests).toBe(1);
    expect(linesWritten(() => createRequestLine('test', 'SILENT')(FACTS, []))).toEqual([]);
  });
});
