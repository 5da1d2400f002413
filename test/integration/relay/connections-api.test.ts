import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/platform/clock.ts';
import { systemRandomness } from '../../../src/platform/ids.ts';
import { createConnections } from '../../../src/relay/delivery/connections-api.ts';
import type { ConnectionId } from '../../../src/relay/names.ts';
import { isConnectionId } from '../../../src/relay/names.ts';
import { portOf } from '../../../tools/run/local-stack/process/ports.ts';
import {
  closedWith,
  connected,
  GATEWAY_KEY,
  GATEWAY_REGION,
  nextMessage,
  type WatchedGateway,
  watchedGateway,
} from '../../support/local-gateway.ts';
import { recordingLog, recordingMetrics } from '../../support/recorders.ts';

let gateway: WatchedGateway;
const log = recordingLog();
const metrics = recordingMetrics();

beforeEach(async () => {
  gateway = await watchedGateway();
  metrics.counted.length = 0;
  log.lines.length = 0;
});
afterEach(() => gateway.stop());

function connectionsAt(endpoint: string | undefined) {
  process.env['AWS_ACCESS_KEY_ID'] = GATEWAY_KEY.id;
  process.env['AWS_SECRET_ACCESS_KEY'] = GATEWAY_KEY.secret;
  return createConnections({
    clock: systemClock,
    config: { region: GATEWAY_REGION, relay: { endpoint } },
    log,
    metrics,
    randomness: { ...systemRandomness, fraction: () => 0 },
  });
}

function onlyConnection(): ConnectionId {
  const [id = ''] = gateway.connections();
  if (!isConnectionId(id)) throw new Error('nobody is connected');
  return id;
}

describe('a post', () => {
  it('arrives as it is, and calls share a connection', async () => {
    const socket = await connected(gateway.url);
    const connections = connectionsAt(gateway.endpoint);
    for (const text of ['{"a":1}', 'grün 🌱', 'x'.repeat(128 * 1024)]) {
      const message = nextMessage(socket);
      expect(await connections.post(onlyConnection(), text)).toBe('posted');
      expect(await message).toBe(text);
    }
    expect(metrics.counted).toEqual([]);
    socket.terminate();
  });

  it('to a connection that ended is told as gone, and is no failure', async () => {
    const socket = await connected(gateway.url);
    const id = onlyConnection();
    const connections = connectionsAt(gateway.endpoint);
    const closed = closedWith(socket);
    await connections.close(id);
    expect(await closed).toBe(1000);
    expect(await connections.post(id, 'x')).toBe('gone');
    await connections.close(id);
    expect(metrics.counted).toEqual([]);
    expect(log.lines).toEqual([]);
  });

  it.each([429, 500, 503] as const)('is repeated twice after %i', async (status) => {
    const socket = await connected(gateway.url);
    const connections = connectionsAt(gateway.endpoint);
    gateway.setManners({ failPosts: { status, times: 2 } });
    const message = nextMessage(socket);
    expect(await connections.post(onlyConnection(), 'at last')).toBe('posted');
    expect(await message).toBe('at last');
    expect(metrics.counted).toEqual([]);

    gateway.setManners({ failPosts: { status, times: 3 } });
    expect(await connections.post(onlyConnection(), 'never')).toBe('failed');
    expect(metrics.counted).toEqual(['RelayPostFailures']);
    expect(log.lines).toMatchObject([{ level: 'warn', message: 'relay_post_failed' }]);
    expect(JSON.stringify(log.lines)).not.toContain('never');
    socket.terminate();
  });

  it('that is refused is not repeated', async () => {
    const socket = await connected(gateway.url);
    const connections = connectionsAt(gateway.endpoint);
    expect(await connections.post(onlyConnection(), 'x'.repeat(128 * 1024 + 1))).toBe('failed');
    gateway.setManners({ failPosts: { status: 403, times: 1 } });
    expect(await connections.post(onlyConnection(), 'x')).toBe('failed');
    expect(await connections.post(onlyConnection(), 'x')).toBe('posted');
    expect(metrics.counted).toEqual(['RelayPostFailures', 'RelayPostFailures']);
    socket.terminate();
  });

  it('without a configured endpoint fails', async () => {
    const socket = await connected(gateway.url);
    expect(await connectionsAt(undefined).post(onlyConnection(), 'x')).toBe('failed');
    socket.terminate();
  });
});

describe('an endpoint in trouble', () => {
  /** Answers each request as told; counts them. */
  async function troubled(serve: (count: number, answer: { hang(): void; drop(): void; ok(): void }) => void) {
    let count = 0;
    const server = createServer((request, response) => {
      count += 1;
      serve(count, {
        hang: () => {},
        drop: () => request.socket.destroy(),
        ok: () => response.writeHead(200).end(),
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const connections = connectionsAt(`http://127.0.0.1:${portOf(server)}/prod`);
    const id = 'AAAA1234=';
    if (!isConnectionId(id)) throw new Error('not an id');
    return {
      post: () => connections.post(id, 'x'),
      count: () => count,
      stop: () => {
        server.closeAllConnections();
        server.close();
      },
    };
  }

  it('that does not answer is given up after three seconds, and is not asked again', async () => {
    const endpoint = await troubled((_count, { hang }) => hang());
    const from = performance.now();
    expect(await endpoint.post()).toBe('failed');
    expect(performance.now() - from).toBeGreaterThan(2_900);
    expect(performance.now() - from).toBeLessThan(6_000);
    expect(endpoint.count()).toBe(1);
    endpoint.stop();
  });

  it('that closed a kept connection is asked again; one that drops the first request is not', async () => {
    const endpoint = await troubled((count, { drop, ok }) => (count === 2 ? drop() : ok()));
    expect(await endpoint.post()).toBe('posted');
    expect(await endpoint.post()).toBe('posted');
    expect(endpoint.count()).toBe(3);
    endpoint.stop();

    const broken = await troubled((_count, { drop }) => drop());
    expect(await broken.post()).toBe('failed');
    expect(broken.count()).toBe(1);
    broken.stop();
  });

  it('that nobody listens at is asked three times', async () => {
    const endpoint = await troubled((_count, { ok }) => ok());
    endpoint.stop();
    expect(await endpoint.post()).toBe('failed');
    expect(metrics.counted).toEqual(['RelayPostFailures']);
  });
});
