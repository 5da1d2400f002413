import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import {
  type ApiError,
  type AppClientOptions,
  createAppClient,
  isAppClientError,
  NetworkError,
  TimeoutError,
} from '@autowatering/app-client';
import { afterEach, describe, expect, it } from 'vitest';
import { portOf } from '../../../tools/run/local-stack/process/ports.ts';
import { gate } from '../../support/gate.ts';

interface Scripted {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Breaks the connection or never answers, instead of an answer. */
  readonly how?: 'breaks' | 'hangs';
}

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server with scripted answers, repeating the last one, and a client that does not really wait. */
async function scripted(
  script: readonly Scripted[] | ((request: Seen) => Scripted | Promise<Scripted>),
  options: Partial<AppClientOptions> = {},
) {
  const seen: Seen[] = [];
  const pauses: number[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url, headers } = request;
    const received = { method, url, headers, body: Buffer.concat(chunks).toString('latin1') };
    seen.push(received);
    const next =
      typeof script === 'function' ? await script(received) : (script[seen.length - 1] ?? script.at(-1) ?? {});
    const { status = 200, headers: answered = {}, body = { ok: true }, how } = next;
    if (how === 'hangs') return;
    if (how === 'breaks') {
      response.destroy();
      return;
    }
    response.writeHead(status, { 'Content-Type': 'application/json', ...answered });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = createAppClient({
    baseUrl: `http://127.0.0.1:${portOf(server)}`,
    getToken: async () => 'a-token',
    random: () => 0.5,
    wait: async (ms) => {
      pauses.push(ms);
    },
    ...options,
  });
  return { client, seen, pauses, server };
}

const error = (code: string, fields: object = {}) => ({
  error: { code, message: `A sentence about ${code}.`, requestId: 'request-1', ...fields },
});
const failureOf = (call: Promise<unknown>): Promise<ApiError> =>
  call.then(
    () => Promise.reject(new Error('the call did not fail')),
    (failure) => failure,
  );

describe('a retry', () => {
  it('repeats a read after 503 and after a broken connection, with growing pauses', async () => {
    const { client, seen, pauses } = await scripted([
      { status: 503, body: error('internal_error') },
      { how: 'breaks' },
      {},
    ]);
    await client.usage();
    expect(seen).toHaveLength(3);
    expect(pauses).toEqual([375, 750]);
  });

  it('repeats an idempotent call, such as claiming a device', async () => {
    const { client, seen } = await scripted([{ status: 504, body: 'Gateway Timeout' }, {}]);
    await client.claimDevice({ serial: '000001' });
    expect(seen.map(({ body }) => body)).toEqual(['{"serial":"000001"}', '{"serial":"000001"}']);
  });

  it('never repeats a call that would act twice, such as a photo that counts against the quota', async () => {
    for (const failure of [{ status: 503, body: error('provider_failed') }, { how: 'breaks' as const }]) {
      const { client, seen } = await scripted([failure]);
      await failureOf(client.aiDoctor({ image: new Blob(['photo']) }));
      await failureOf(client.transferDevice({ serial: '000001' }));
      expect(seen).toHaveLength(2);
    }
  });

  it('waits as long as Retry-After says, as seconds or as a date', async () => {
    const date = new Date(Date.now() + 5000).toUTCString();
    const { client, pauses } = await scripted([
      { status: 429, headers: { 'Retry-After': '3' }, body: error('rate_limited') },
      { status: 503, headers: { 'Retry-After': date }, body: error('auth_unavailable') },
      {},
    ]);
    await client.usage();
    expect(pauses[0]).toBe(3250);
    expect(pauses[1]).toBeGreaterThan(3000);
    expect(pauses[1]).toBeLessThanOrEqual(5250);
  });

  it('fails instead if Retry-After is long', async () => {
    const headers = { 'Retry-After': '3600' };
    const { client, seen } = await scripted([{ status: 429, headers, body: error('daily_limit_reached') }]);
    expect(await failureOf(client.usage())).toMatchObject({ code: 'daily_limit_reached', retryAfterSeconds: 3600 });
    expect(seen).toHaveLength(1);
  });

  it('is limited: the call rejects with the last failure', async () => {
    const { client, seen } = await scripted([{ status: 503, body: error('registry_unavailable') }]);
    expect(await failureOf(client.otaLatest())).toMatchObject({ code: 'registry_unavailable', status: 503 });
    expect(seen).toHaveLength(3);
    const { client: hasty, seen: seenOnce } = await scripted([{ status: 503, body: error('away') }], { repeats: 0 });
    await failureOf(hasty.otaLatest());
    expect(seenOnce).toHaveLength(1);
  });

  it('never follows a permanent refusal', async () => {
    for (const status of [400, 403, 404, 409, 410, 500]) {
      const { client, seen } = await scripted([{ status, body: error('refused') }]);
      await failureOf(client.usage());
      expect(seen).toHaveLength(1);
    }
  });
});

describe('the token', () => {
  const refused = { status: 401, body: error('invalid_token') };

  it('is refreshed once when many calls are refused at the same time', async () => {
    let token = 'old';
    let refreshes = 0;
    const refusals = gate();
    let waiting = 0;
    const refuseOld = async ({ headers }: Seen): Promise<Scripted> => {
      if (headers.authorization === 'Bearer new') return {};
      if (++waiting === 3) refusals.letGo();
      await refusals.until;
      return refused;
    };
    const { client, seen } = await scripted(refuseOld, {
      getToken: async ({ refresh }) => {
        if (!refresh) return token;
        refreshes += 1;
        await new Promise((resolve) => setImmediate(resolve));
        token = 'new';
        return token;
      },
    });
    await Promise.all([client.usage(), client.myDevices(), client.claimDevice({ serial: '000001' })]);
    expect(refreshes).toBe(1);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      ...Array(3).fill('Bearer old'),
      ...Array(3).fill('Bearer new'),
    ]);
  });

  it('is refreshed again when the new one is refused later', async () => {
    let issued = 0;
    const { client } = await scripted([refused, {}, refused, {}], {
      getToken: async ({ refresh }) => `token-${refresh ? ++issued : issued}`,
    });
    await client.usage();
    await client.usage();
    expect(issued).toBe(2);
  });

  it('is not refreshed twice for one call', async () => {
    const { client, seen } = await scripted([refused]);
    expect(await failureOf(client.usage())).toMatchObject({ code: 'invalid_token', status: 401 });
    expect(seen).toHaveLength(2);
  });

  it('is not refreshed where only a new sign-in helps', async () => {
    const asked: boolean[] = [];
    const { client, seen } = await scripted([{ status: 401, body: error('recent_login_required') }], {
      getToken: async ({ refresh }) => {
        asked.push(refresh);
        return 'a-token';
      },
    });
    const failure = await failureOf(client.deleteMyAccount({ confirmText: 'DELETE' }));
    expect(failure.code).toBe('recent_login_required');
    expect([asked, seen.length]).toEqual([[false], 1]);
  });

  it('may be missing: the call is made without it, and rejects with any error of the sign-in', async () => {
    const { client, seen } = await scripted([{}], { getToken: async () => null });
    await client.otaLatest();
    expect(seen[0]?.headers.authorization).toBeUndefined();
    const lost = new Error('the session is over');
    const { client: signedOut } = await scripted([{}], { getToken: () => Promise.reject(lost) });
    expect(await failureOf(signedOut.usage())).toBe(lost);
  });

  it('is not sent to public routes', async () => {
    const { client, seen } = await scripted([{}]);
    await client.health();
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });
});

describe('a failure without an answer', () => {
  it('is a NetworkError when nothing listens', async () => {
    const { client, server } = await scripted([{}], { repeats: 0 });
    server.close();
    const failure = await failureOf(client.usage());
    expect(failure).toBeInstanceOf(NetworkError);
    expect(isAppClientError(failure)).toBe(true);
    expect(failure).toMatchObject({ kind: 'network', message: expect.stringMatching(/internet connection/) });
  });

  it('is a TimeoutError when the answer is late, even where fetch can’t be aborted', async () => {
    const { client, seen } = await scripted([{ how: 'hangs' }]);
    expect(await failureOf(client.usage({ timeoutMs: 50 }))).toBeInstanceOf(TimeoutError);
    expect(seen).toHaveLength(1);
    const { client: deaf } = await scripted([{}], { fetch: () => new Promise(() => {}), timeoutMs: 20 });
    expect(await failureOf(deaf.usage())).toMatchObject({ kind: 'timeout' });
  });

  it('rejects with the reason of the signal when the app gives up, before, during and between attempts', async () => {
    const { client, seen } = await scripted([{ how: 'hangs' }]);
    const reason = new Error('the page was left');
    expect(await failureOf(client.usage({ signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(seen).toHaveLength(0);
    const during = new AbortController();
    const hanging = failureOf(client.usage({ signal: during.signal }));
    during.abort(reason);
    expect(await hanging).toBe(reason);

    const between = new AbortController();
    const { client: patient, seen: attempts } = await scripted([{ status: 503, body: error('away') }], {
      wait: undefined,
      random: () => {
        between.abort(reason);
        return 0.5;
      },
    });
    expect(await failureOf(patient.usage({ signal: between.signal }))).toBe(reason);
    expect(attempts).toHaveLength(1);
  });

  it('waits in real time between attempts by default', async () => {
    const { client, seen } = await scripted(
      [{ status: 503, headers: { 'Retry-After': '0' }, body: error('away') }, {}],
      {
        wait: undefined,
        random: () => 0,
      },
    );
    await client.usage({ signal: new AbortController().signal });
    expect(seen).toHaveLength(2);
  });
});

describe('an answer that is not the API’s', () => {
  it('is an error with a message for people, whatever a gateway, a proxy or a hotspot sent', async () => {
    const bodies: readonly (readonly [number, unknown, RegExp])[] = [
      [503, { message: 'Service Unavailable' }, /not available right now/],
      [401, { message: 'Unauthorized' }, /sign in again/],
      [413, '<html><body>Request Entity Too Large</body></html>', /too large/],
      [429, { message: 'Too Many Requests' }, /wait a moment/],
      [200, '<html>Welcome to the hotel</html>', /log in to the network/],
      [200, 'null', /log in to the network/],
      [502, '', /not available right now/],
      [400, { error: { code: 7 } }, /could not be read/],
    ];
    for (const [status, body, sentence] of bodies) {
      const { client } = await scripted([{ status, body, headers: { 'X-Request-Id': 'gateway-1' } }], { repeats: 0 });
      const failure = await failureOf(client.usage());
      expect(failure).toMatchObject({ code: 'unreadable_answer', status, requestId: 'gateway-1' });
      expect(failure.message).toMatch(sentence);
      expect(failure.message).not.toMatch(/<|Unavailable|Unauthorized/);
    }
  });

  it('has no retry time if Retry-After is invalid', async () => {
    const { client } = await scripted([{ status: 409, headers: { 'Retry-After': 'soon' }, body: error('lease_held') }]);
    expect((await failureOf(client.usage())).retryAfterSeconds).toBeUndefined();
  });
});

describe('a request', () => {
  it('has its fields where the route expects them, without undefined ones', async () => {
    const { client, seen } = await scripted([{}]);
    await client.otaReleasesDownloadUrl({ version: '1.0.0+7/8', channel: 'beta & more', board: undefined });
    expect(seen[0]).toMatchObject({
      method: 'GET',
      url: '/ota/releases/1.0.0%2B7%2F8/download-url?channel=beta+%26+more',
      body: '',
    });
    await client.updateDevice({ serial: '000001', name: undefined, settings: { zone: 2 } });
    expect(seen[1]).toMatchObject({
      method: 'POST',
      url: '/updateDevice',
      body: '{"serial":"000001","settings":{"zone":2}}',
    });
    expect(seen[1]?.headers['content-type']).toBe('application/json');
  });

  it('carries a photo as a form', async () => {
    const { client, seen } = await scripted([{}]);
    await client.plantId({ image: new Blob(['the photo'], { type: 'image/jpeg' }), latitude: '52.5' });
    expect(seen[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(seen[0]?.body).toMatch(/name="image"; filename="blob"\r\nContent-Type: image\/jpeg\r\n\r\nthe photo\r\n/);
    expect(seen[0]?.body).toMatch(/name="latitude"\r\n\r\n52.5\r\n/);
  });
});
