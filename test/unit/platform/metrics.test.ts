import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/platform/observability/metrics.ts';
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
});
