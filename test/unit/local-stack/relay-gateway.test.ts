import { execFile } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  GoneException,
  LimitExceededException,
  PayloadTooLargeException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { afterEach, describe, expect, it } from 'vitest';
import type { GatewayLimits } from '../../../tools/run/local-stack/gateway/gateway-limits.ts';
import type { GatewayEvent } from '../../../tools/run/local-stack/gateway/relay-gateway.ts';
import {
  closedWith,
  connected,
  GATEWAY_KEY,
  GATEWAY_REGION,
  isRoute,
  nextMessage,
  refusedWith,
  type WatchedGateway,
  watchedGateway,
} from '../../support/local-gateway.ts';

const KB = 1024;
const running: WatchedGateway[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.stop()));
});

async function started(limits?: Partial<GatewayLimits>, handler?: (event: GatewayEvent) => unknown) {
  const gateway = await watchedGateway(limits, handler);
  running.push(gateway);
  return gateway;
}

/** AWS's own client. */
function awsClient(gateway: WatchedGateway, secret: string = GATEWAY_KEY.secret) {
  return new ApiGatewayManagementApiClient({
    endpoint: gateway.endpoint,
    region: GATEWAY_REGION,
    credentials: { accessKeyId: GATEWAY_KEY.id, secretAccessKey: secret },
    maxAttempts: 1,
  });
}

const onlyConnection = (gateway: WatchedGateway) => gateway.connections()[0] ?? '';
const bodies = (events: readonly GatewayEvent[]) => events.flatMap((event) => ('body' in event ? [event.body] : []));

describe('the handshake', () => {
  it('gives the function the event that API Gateway gives', async () => {
    const gateway = await started({}, () => ({ statusCode: 200, headers: { 'sec-websocket-protocol': 'two' } }));
    const socket = await connected(`${gateway.url}?a=1&a=2&b=`, ['one', 'two']);
    expect(socket.protocol).toBe('two');
    const [event] = await gateway.untilEvents(isRoute('$connect'));
    expect(event).toEqual({
      headers: expect.objectContaining({
        Host: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        'Sec-WebSocket-Protocol': 'one,two',
        'Sec-WebSocket-Version': '13',
        'X-Forwarded-For': '127.0.0.1',
      }),
      multiValueHeaders: expect.objectContaining({ 'Sec-WebSocket-Protocol': ['one,two'] }),
      queryStringParameters: { a: '2', b: '' },
      multiValueQueryStringParameters: { a: ['1', '2'], b: [''] },
      requestContext: {
        routeKey: '$connect',
        eventType: 'CONNECT',
        extendedRequestId: expect.stringMatching(/=$/),
        requestTime: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        messageDirection: 'IN',
        stage: 'test',
        connectedAt: expect.any(Number),
        requestTimeEpoch: expect.any(Number),
        identity: { sourceIp: '127.0.0.1' },
        requestId: expect.any(String),
        domainName: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        connectionId: onlyConnection(gateway),
        apiId: 'local',
      },
      isBase64Encoded: false,
    });
    socket.terminate();
  });

  it.each([401, 403, 429])('is refused with %i if the function says so', async (statusCode) => {
    const gateway = await started({}, () => ({ statusCode, body: 'secret' }));
    expect(await refusedWith(gateway.url)).toBe(statusCode);
    expect(gateway.connections()).toEqual([]);
    expect(gateway.events).toHaveLength(1);
  });

  const unhelpful: readonly (readonly [name: string, handler: () => Promise<unknown>, status: number])[] = [
    ['answers 500', async () => ({ statusCode: 500 }), 502],
    ['throws', () => Promise.reject(new Error('broken')), 502],
    ['answers nothing that API Gateway understands', async () => undefined, 502],
    ['is too slow', () => new Promise<never>(() => {}), 504],
  ];
  it.each(unhelpful)('is refused if the function %s', async (_name, handler, status) => {
    const gateway = await started({ integrationMs: 50 }, handler);
    expect(await refusedWith(gateway.url)).toBe(status);
  });

  it('is refused at another path, and without a WebSocket', async () => {
    const gateway = await started();
    expect(await refusedWith(gateway.url.replace(/test$/, 'prod'))).toBe(403);
    expect((await fetch(gateway.endpoint, { headers: { 'Sec-WebSocket-Key': 'short' } })).status).toBe(403);
    expect(gateway.events).toEqual([]);
  });

  it('tells of a client that went away before the answer', async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const gateway = await started({}, async ({ requestContext }) => {
      if (requestContext.routeKey === '$connect') await answered;
      return { statusCode: 200 };
    });
    const { port, host } = new URL(gateway.url);
    const raw = connect(Number(port), '127.0.0.1');
    raw.write(
      `GET /test HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    await gateway.untilEvents(isRoute('$connect'));
    raw.destroy();
    await once(raw, 'close');
    answer();
    const [gone] = await gateway.untilEvents(isRoute('$disconnect'));
    expect(gone?.requestContext).toMatchObject({ disconnectStatusCode: expect.any(Number) });
  });
});

describe('messages', () => {
  it('and the end reach the function as API Gateway gives them', async () => {
    const gateway = await started();
    const socket = await connected(gateway.url);
    socket.send('grün');
    const [event] = await gateway.untilEvents(isRoute('$default'));
    expect(event).toEqual({
      requestContext: expect.objectContaining({
        routeKey: '$default',
        eventType: 'MESSAGE',
        messageId: expect.any(String),
        connectionId: onlyConnection(gateway),
      }),
      body: 'grün',
      isBase64Encoded: false,
    });
    socket.close(4001, 'enough');
    const [end] = await gateway.untilEvents(isRoute('$disconnect'));
    expect(end).toMatchObject({
      requestContext: { eventType: 'DISCONNECT', disconnectStatusCode: 4001, disconnectReason: 'enough' },
      headers: { 'x-api-key': '' },
      isBase64Encoded: false,
    });
  });

  it('come from Node’s own client as well', async () => {
    const gateway = await started({}, () => ({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'two' } }));
    const script = `
      const socket = new WebSocket(process.argv[1], ['two', 'bearer.x']);
      socket.onopen = () => { socket.send(socket.protocol); socket.close(); };
    `;
    // The flag is for Node 20, where the client is not yet on by itself.
    await promisify(execFile)(process.execPath, ['--experimental-websocket', '-e', script, gateway.url]);
    expect(bodies(await gateway.untilEvents(isRoute('$default')))).toEqual(['two']);
    const [end] = await gateway.untilEvents(isRoute('$disconnect'));
    expect(end?.requestContext).toMatchObject({
      disconnectStatusCode: 1005,
      disconnectReason: 'Client-side close frame status not set',
    });
  });

  it('in binary end the connection with 1003', async () => {
    const gateway = await started();
    const socket = await connected(gateway.url);
    socket.send(Buffer.from('x'));
    expect(await closedWith(socket)).toBe(1003);
    await gateway.untilEvents(isRoute('$disconnect'));
    expect(gateway.events.filter(isRoute('$default'))).toEqual([]);
  });

  it('of 128 KB in frames of 32 KB are taken; a larger frame or message ends the connection with 1009', async () => {
    const gateway = await started();
    const frame = 'x'.repeat(32 * KB);
    const whole = await connected(gateway.url);
    for (const fin of [false, false, false, true]) whole.send(frame, { fin });
    const [event] = await gateway.untilEvents(isRoute('$default'));
    expect(bodies(event ? [event] : [])[0]).toHaveLength(128 * KB);

    const tooLong = await connected(gateway.url);
    tooLong.send(`${frame}x`);
    expect(await closedWith(tooLong)).toBe(1009);
    const tooMuch = await connected(gateway.url);
    for (const fin of [false, false, false, false]) tooMuch.send(frame, { fin });
    tooMuch.send('x', { fin: true });
    expect(await closedWith(tooMuch)).toBe(1009);
    expect(gateway.events.filter(isRoute('$default'))).toHaveLength(1);
  });

  it('in frames whose headers come byte by byte have the same limit', async () => {
    const gateway = await started({ frameBytes: 200 });
    const { port, host } = new URL(gateway.url);
    const raw = connect(Number(port), '127.0.0.1').setNoDelay(true);
    raw.write(
      `GET /test HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
    );
    const read = once(raw, 'data');
    await read;
    const answer = once(raw, 'data');
    for (const byte of [0x81, 0xfe, 0x00, 0xc9, 0, 0, 0, 0]) raw.write(Buffer.of(byte));
    const [data] = await answer;
    expect([...(data as Buffer)].slice(0, 4)).toEqual([0x88, 2, 1009 >> 8, 1009 & 0xff]);
    raw.destroy();
  });

  it('that the function does not answer bring API Gateway’s own message', async () => {
    const gateway = await started({}, ({ requestContext }) =>
      requestContext.routeKey === '$default' ? Promise.reject(new Error('broken')) : { statusCode: 200 },
    );
    const socket = await connected(gateway.url);
    socket.send('hello');
    expect(JSON.parse(await nextMessage(socket))).toEqual({
      message: 'Internal server error',
      connectionId: onlyConnection(gateway),
      requestId: expect.any(String),
    });
    socket.terminate();
  });
});

describe('a connection ends', () => {
  it('with 1001 when nothing was said for a while; messages and pings keep it', async () => {
    const gateway = await started({ idleMs: 300 });
    const socket = await connected(gateway.url);
    const from = performance.now();
    for (let told = 0; told < 4; told += 1) {
      socket.ping();
      await once(socket, 'pong');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await closedWith(socket)).toBe(1001);
    expect(performance.now() - from).toBeGreaterThan(600);
    const [end] = await gateway.untilEvents(isRoute('$disconnect'));
    expect(end?.requestContext).toMatchObject({ disconnectStatusCode: 1001 });
  });

  it('with 1001 at the end of its life, however busy it is', async () => {
    const gateway = await started({ lifeMs: 200 });
    const socket = await connected(gateway.url);
    const busy = setInterval(() => socket.ping(), 20);
    expect(await closedWith(socket)).toBe(1001);
    clearInterval(busy);
  });

  it('for a client that does not read, rather than keeping its messages', async () => {
    const gateway = await started({ sendBufferBytes: 256 * KB });
    const socket = await connected(gateway.url);
    socket.pause();
    const client = awsClient(gateway);
    const id = onlyConnection(gateway);
    const flood = async () => {
      for (let sent = 0; sent < 1000; sent += 1) {
        await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: 'x'.repeat(100 * KB) }));
      }
    };
    await expect(flood()).rejects.toBeInstanceOf(LimitExceededException);
    await expect(client.send(new PostToConnectionCommand({ ConnectionId: id, Data: 'x' }))).rejects.toBeInstanceOf(
      GoneException,
    );
    await gateway.untilEvents(isRoute('$disconnect'));
    socket.terminate();
  });
});

describe('@connections, called by AWS’s own client,', () => {
  it('sends, describes and closes', async () => {
    const gateway = await started();
    const socket = await connected(gateway.url);
    const client = awsClient(gateway);
    const id = onlyConnection(gateway);
    const long = 'ä'.repeat(60 * KB);
    const got = nextMessage(socket);
    await client.send(new PostToConnectionCommand({ ConnectionId: id, Data: long }));
    expect(await got).toBe(long);
    const described = await client.send(new GetConnectionCommand({ ConnectionId: id }));
    expect(described).toMatchObject({
      ConnectedAt: expect.any(Date),
      LastActiveAt: expect.any(Date),
      Identity: { SourceIp: '127.0.0.1' },
    });
    const closed = closedWith(socket);
    await client.send(new DeleteConnectionCommand({ ConnectionId: id }));
    expect(await closed).toBe(1000);
    for (const command of [
      new PostToConnectionCommand({ ConnectionId: id, Data: 'x' }),
      new GetConnectionCommand({ ConnectionId: id }),
      new DeleteConnectionCommand({ ConnectionId: id }),
    ]) {
      await expect(client.send(command as PostToConnectionCommand)).rejects.toBeInstanceOf(GoneException);
    }
  });

  it('does not know a connection before its handshake is over', async () => {
    let early: unknown;
    const gateway: WatchedGateway = await started({}, async ({ requestContext }) => {
      if (requestContext.routeKey === '$connect') {
        early = await awsClient(gateway)
          .send(new PostToConnectionCommand({ ConnectionId: requestContext.connectionId, Data: 'x' }))
          .catch((error: unknown) => error);
      }
      return { statusCode: 200 };
    });
    (await connected(gateway.url)).terminate();
    expect(early).toBeInstanceOf(GoneException);
  });

  it('refuses more than 128 KB with 413', async () => {
    const gateway = await started();
    const socket = await connected(gateway.url);
    const data = 'x'.repeat(128 * KB + 1);
    await expect(
      awsClient(gateway).send(new PostToConnectionCommand({ ConnectionId: onlyConnection(gateway), Data: data })),
    ).rejects.toBeInstanceOf(PayloadTooLargeException);
    socket.terminate();
  });

  it('refuses a call without a signature or with a wrong one', async () => {
    const gateway = await started();
    const socket = await connected(gateway.url);
    const id = onlyConnection(gateway);
    const answer = await fetch(`${gateway.endpoint}/@connections/${encodeURIComponent(id)}`, {
      method: 'POST',
      body: 'x',
    });
    expect(answer.status).toBe(403);
    const wrong = awsClient(gateway, createHmac('sha256', 'x').digest('hex'));
    await expect(wrong.send(new PostToConnectionCommand({ ConnectionId: id, Data: 'x' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    socket.terminate();
  });

  it('fails and delays posts when told to', async () => {
    const gateway = await started();
    const socket = await connected(gateway.url);
    const client = awsClient(gateway);
    const post = () => client.send(new PostToConnectionCommand({ ConnectionId: onlyConnection(gateway), Data: 'x' }));
    gateway.setManners({ failPosts: { status: 500, times: 1 } });
    await expect(post()).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
    await post();
    gateway.setManners({ failPosts: { status: 429 } });
    await expect(post()).rejects.toBeInstanceOf(LimitExceededException);
    await expect(post()).rejects.toBeInstanceOf(LimitExceededException);
    const told = await fetch(new URL('/_manners', gateway.endpoint), {
      method: 'PUT',
      body: JSON.stringify({ delayPostsMs: 100 }),
    });
    expect(told.status).toBe(204);
    const from = performance.now();
    await post();
    expect(performance.now() - from).toBeGreaterThan(90);
    expect((await fetch(new URL('/_manners', gateway.endpoint), { method: 'PUT', body: '{"order":1}' })).status).toBe(
      400,
    );
    socket.terminate();
  });
});

describe('frames of one connection', () => {
  /** A function whose first frame takes until the last one was given to it, at most a while. */
  const slowFirst = () => {
    const order: string[] = [];
    const handler = async (event: GatewayEvent) => {
      if (!('body' in event)) return { statusCode: 200 };
      order.push(`>${event.body}`);
      if (event.body === '1') await new Promise((resolve) => setTimeout(resolve, 100));
      order.push(`<${event.body}`);
      return { statusCode: 200 };
    };
    return { order, handler };
  };

  it('are handled in turn', async () => {
    const { order, handler } = slowFirst();
    const gateway = await started({}, handler);
    const socket = await connected(gateway.url);
    for (const text of ['1', '2', '3']) socket.send(text);
    socket.close();
    await gateway.untilEvents(isRoute('$disconnect'));
    expect(order).toEqual(['>1', '<1', '>2', '<2', '>3', '<3']);
  });

  it('are handled at once when told to', async () => {
    const { order, handler } = slowFirst();
    const gateway = await started({}, handler);
    gateway.setManners({ order: 'at-once' });
    const socket = await connected(gateway.url);
    for (const text of ['1', '2', '3']) socket.send(text);
    await gateway.untilEvents(isRoute('$default'), 3);
    expect(order).toEqual(['>1', '>2', '<2', '>3', '<3']);
    socket.terminate();
  });

  it('come in another order when told to, the same for the same numbers', async () => {
    const gateway = await started();
    const random = [0.9, 0.5, 0.1];
    gateway.setManners({ order: 'shuffled', random: () => random.shift() ?? 0 });
    const socket = await connected(gateway.url);
    for (const text of ['1', '2', '3']) socket.send(text);
    const events = await gateway.untilEvents(isRoute('$default'), 3);
    expect(bodies(events)).toEqual(['3', '2', '1']);
    socket.terminate();
  });

  it('may meet a function that is killed before or after its work', async () => {
    const gateway = await started();
    const socket = await connected(gateway.url);
    gateway.setManners({
      kill: (event) => ('body' in event && event.body !== 'fine' ? (event.body as 'before') : undefined),
    });
    for (const text of ['before', 'after', 'fine']) {
      const answer = text === 'fine' ? Promise.resolve(undefined) : nextMessage(socket);
      socket.send(text);
      expect((await answer)?.includes('Internal server error')).toBe(text === 'fine' ? undefined : true);
    }
    await gateway.untilEvents((event) => 'body' in event && event.body === 'fine');
    expect(bodies(gateway.events)).toEqual(['after', 'fine']);
    gateway.setManners({ kill: () => undefined, killShare: 1, random: () => 0 });
    const answer = nextMessage(socket);
    socket.send('killed by chance');
    expect(await answer).toContain('Internal server error');
    socket.terminate();
  });
});

describe('$disconnect', () => {
  it('never comes when told so', async () => {
    const gateway = await started();
    gateway.setManners({ losesDisconnects: true });
    const socket = await connected(gateway.url);
    const closed = closedWith(socket);
    gateway.cut(onlyConnection(gateway));
    expect(await closed).toBe(1006);
    gateway.setManners({ losesDisconnects: false });
    const next = await connected(gateway.url);
    next.close(1000);
    const ends = await gateway.untilEvents(isRoute('$disconnect'));
    expect(ends).toHaveLength(1);
    expect(ends[0]?.requestContext).toMatchObject({
      disconnectStatusCode: 1000,
      disconnectReason: 'Connection Closed Normally',
    });
  });
});
