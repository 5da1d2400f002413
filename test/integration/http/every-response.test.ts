import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend({
    ALLOWED_ORIGINS: 'capacitor://localhost,https://app.example.com,http://localhost,http://localhost:8100',
  });
});
afterAll(() => backend.stop());

describe('every response', () => {
  it('carries the request id and the processing time, and must not be cached', async () => {
    const answer = await backend.call('/health');
    expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._-]{8,128}$/);
    expect(Number(answer.headers.get('x-process-time'))).toBeGreaterThanOrEqual(0);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it("uses the caller's request id when it is well-formed", async () => {
    const answer = await backend.call('/nowhere', { headers: { 'X-Request-Id': 'phone-42.a_b' } });
    expect(answer.headers.get('x-request-id')).toBe('phone-42.a_b');
    expect(answer.body.error.requestId).toBe('phone-42.a_b');
  });

  it.each(['short', 'x'.repeat(129), 'with space', 'semi;colon'])(
    'has a new request id instead of %j',
    async (given) => {
      const answer = await backend.call('/health', { headers: { 'X-Request-Id': given } });
      expect(answer.headers.get('x-request-id')).not.toBe(given);
    },
  );

  it('is 404 in the error format for an unknown address', async () => {
    const answer = await backend.call('/no/such/thing');
    expect(answer.status).toBe(404);
    expect(answer.body).toEqual({
      error: { code: 'not_found', message: expect.any(String), requestId: answer.headers.get('x-request-id') },
    });
  });

  it('is 405 with Allow for the wrong method', async () => {
    const answer = await backend.call('/ota/releases', { method: 'DELETE' });
    expect(answer.status).toBe(405);
    expect(answer.body.error.code).toBe('method_not_allowed');
    expect(answer.headers.get('allow')).toBe('GET, POST, HEAD, OPTIONS');
  });

  it.each(['/health/', '/health//'])('is the same for %s as for /health', async (path) => {
    expect((await backend.call(path)).body.status).toBe('alive');
  });

  it('to HEAD equals the one to GET, without the body', async () => {
    const answer = await backend.call('/health', { method: 'HEAD' });
    expect(answer.status).toBe(200);
    expect(answer.body).toBe('');
  });

  it('is logged in one line with route, user, status and error code, and nothing of the token', async () => {
    const { uid, headers } = newUser();
    const { headers: got } = await backend.call('/claimDevice', { headers, body: { serial: '999999' } });
    const lines = backend.log.lines.filter(
      // A busy machine may log a slow call as well.
      ({ fields, message }) => fields['requestId'] === got.get('x-request-id') && !message.includes('slow'),
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]?.fields).toMatchObject({
      route: 'POST /claimDevice',
      uid,
      statusCode: 404,
      errorCode: 'device_not_found',
      coldStart: false,
    });
    expect(JSON.stringify(lines)).not.toContain(headers.Authorization.slice(7, 40));
  });

  it('is logged with a warning for each slow DynamoDB call, under its own request id', async () => {
    const own = await startBackend();
    own.dynamo.setFaults([{ match: 'Query', latencyMs: 300 }]);
    const ask = (id: string) => own.call('/myDevices', { headers: { ...newUser().headers, 'X-Request-Id': id } });
    await Promise.all([ask('slow-request-1'), ask('slow-request-2')]);
    const slow = own.log.lines.filter(
      // A busy machine may be slow in other calls too.
      ({ message, fields }) => message === 'A DynamoDB call was slow' && fields['commandName'] === 'QueryCommand',
    );
    expect(slow.map(({ level, fields }) => [level, fields['requestId']]).sort()).toEqual([
      ['warn', 'slow-request-1'],
      ['warn', 'slow-request-2'],
    ]);
    expect(Number(slow[0]?.fields['latencyMs'])).toBeGreaterThanOrEqual(300);
    own.dynamo.setFaults([]);
    await own.stop();
  });

  it('is sent after three DynamoDB timeouts at most', async () => {
    const own = await startBackend({ DYNAMODB_TIMEOUT_MS: '100' });
    own.dynamo.setFaults([{ match: 'Query', hang: true }]);
    const answer = await own.call('/myDevices', { headers: newUser().headers });
    expect(own.dynamo.faultsMet()).toBe(3);
    own.dynamo.setFaults([]);
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'service_unavailable' } } });
    expect(own.log.lines.some(({ level, error }) => level === 'error' && String(error).includes('100 ms'))).toBe(true);
    await own.stop();
  });

  it('hides the cause of an unexpected failure, which is only logged', async () => {
    backend.dynamo.setFaults([
      {
        match: 'Query',
        status: 400,
        body: '{"__type":"ResourceNotFoundException","message":"table autowatering-users missing"}',
      },
    ]);
    const answer = await backend.call('/myDevices', { headers: newUser().headers });
    backend.dynamo.setFaults([]);
    expect(answer.status).toBe(500);
    expect(answer.body.error.code).toBe('internal_error');
    expect(JSON.stringify(answer.body)).not.toMatch(/autowatering|table|Resource/);
    expect(backend.log.lines.some(({ level, error }) => level === 'error' && String(error).includes('missing'))).toBe(
      true,
    );
  });
});

describe('CORS', () => {
  it.each(['capacitor://localhost', 'https://app.example.com', 'http://localhost', 'http://localhost:8100'])(
    'lets %s in',
    async (origin) => {
      const preflight = await backend.call('/claimDevice', {
        method: 'OPTIONS',
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
      const allowed = preflight.headers.get('access-control-allow-headers')?.split(',');
      // A page that compresses what it uploads has to say so.
      expect(allowed).toEqual(expect.arrayContaining(['Authorization', 'Content-Type', 'Content-Encoding']));
      const answer = await backend.call('/myDevices', { headers: { ...newUser().headers, Origin: origin } });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    },
  );

  it.each([
    'https://evil.example.com',
    'https://app.example.com.evil.com',
    'null',
    'http://localhost.evil.com',
    'https://localhost:8100',
    'http://localhost:5173',
  ])('refuses %s on private routes, and sends it no headers on public ones', async (origin) => {
    const answer = await backend.call('/myDevices', { headers: { ...newUser().headers, Origin: origin } });
    expect(answer.status).toBe(403);
    expect(answer.body.error.code).toBe('origin_not_allowed');
    const open = await backend.call('/health', { headers: { Origin: origin } });
    expect(open.status).toBe(200);
    expect(open.headers.get('access-control-allow-origin')).toBeNull();
  });
});
