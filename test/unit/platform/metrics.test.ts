import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/platform/observability/metrics.ts';
import { createPrometheusMetrics } from '../../../src/platform/observability/prometheus-metrics.ts';
import { linesWritten } from '../../support/lines-written.ts';

describe('metrics', () => {
  it('are written in the embedded metric format, each with its own dimensions', () => {
    const [requests, latency] = linesWritten(() => {
      const metrics = createMetrics('test');
      metrics.count('Requests', { route: 'GET /health', status: '2xx' });
      metrics.duration('Latency', 12.5, { route: 'GET /health' });
    });
    expect(requests).toMatchObject({ Requests: 1, route: 'GET /health', status: '2xx' });
    expect(latency).toMatchObject({ Latency: 12.5, route: 'GET /health' });
    expect(latency.status).toBeUndefined();
    expect(latency._aws.CloudWatchMetrics[0].Namespace).toBe('AutoWatering');
  });

  it('are also a page for Prometheus, where each has the sum or the latest of what was counted', async () => {
    const metrics = createPrometheusMetrics();
    metrics.count('Requests');
    metrics.count('Requests', {}, 2);
    metrics.count('ProviderFailed', { provider: 'gbif' });
    metrics.duration('Latency', 7);
    metrics.duration('Latency', 80, {});
    metrics.gauge('OldestEvent', 5);
    metrics.gauge('OldestEvent', 3, {});
    const text = await metrics.text();
    expect(text).toMatch(/^autowatering_requests_total 3/m);
    expect(text).toMatch(/^autowatering_provider_failed_total\{provider="gbif"\} 1/m);
    expect(text).toMatch(/^autowatering_latency_bucket\{le="10"\} 1/m);
    expect(text).toMatch(/^autowatering_latency_bucket\{le="100"\} 2/m);
    expect(text).toMatch(/^autowatering_oldest_event 3/m);
  });
});
