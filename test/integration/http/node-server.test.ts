import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { newUser } from '../../support/tokens.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await startBackend();
});
afterAll(() => backend.stop());

interface Received {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Whether the answer came over the same connection as the one before. */
  readonly reused: boolean;
}

/** A client that keeps one connection and sends every request over it. */
function oneConnection() {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const send = (method: string, path: string, body?: Buffer, headers: Record<string, string> = {}) =>
    new Promise<Received>((resolve, reject) => {
      const sent = request(`${backend.url}${path}`, {
        ...{ agent, method },
        headers: { 'Content-Type': 'application/json', ...headers, 'Content-Length': body?.byteLength ?? 0 },
      });
      sent.on('error', reject);
      sent.on('response', (answer) => {
        text(answer).then(
          (read) =>
            resolve({ status: answer.statusCode, headers: answer.headers, body: read, reused: sent.reusedSocket }),
          reject,
        );
      });
      sent.end(body);
    });
  return { send, close: () => agent.destroy() };
}

describe('a connection whose request body was refused', () => {
  it.each([
    [413, '/provision', 70_000],
    [413, '/provision', 500_000],
    [413, '/provision', 3_000_000],
    [413, '/saveUserState', 3_000_000],
    [401, '/saveUserState', 500_000],
    [404, '/nowhere', 500_000],
    [405, '/getProfile', 500_000],
  ])('takes the next request: %i by %s to %i bytes', async (status, path, size) => {
    const { send, close } = oneConnection();
    expect(await send('POST', path, Buffer.alloc(size, 'x'))).toMatchObject({ status });
    expect(await send('GET', '/health')).toMatchObject({ status: 200, reused: true });
    close();
  });

  it('takes the next request after an incomplete form', async () => {
    const { send, close } = oneConnection();
    const form = Buffer.alloc(2_000_000, 'no form at all');
    const type = { 'Content-Type': 'multipart/form-data; boundary=b', ...newUser().headers };
    expect((await send('POST', '/plantId', form, type)).status).toBeGreaterThanOrEqual(400);
    expect(await send('GET', '/health')).toMatchObject({ status: 200, reused: true });
    close();
  });
});

/** Sends exactly these bytes and returns everything received until the server closes or the expected end was seen. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = '';
    const socket = connect(Number(new URL(backend.url).port), '127.0.0.1', () => socket.write(bytes, 'latin1'));
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => {
      got += part;
      const [head = '', body] = got.split('\r\n\r\n');
      const length = /^content-length: (\d+)/im.exec(head)?.[1];
      if (body !== undefined && Buffer.byteLength(body) >= Number(length ?? 0)) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(got));
  });
}

describe('an odd request', () => {
  it.each([
    ['TRACE', 'TRACE /health HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'method_not_allowed'],
    ['TRACE of an unknown path', 'TRACE /nowhere HTTP/1.1\r\nHost: x\r\n\r\n', 404, 'not_found'],
    ['CONNECT', 'CONNECT /health HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    ['an unknown method', 'BREW /health HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    ['not HTTP', 'hello\r\n\r\n', 400, 'invalid_request'],
    ['no Host header', 'GET /health HTTP/1.1\r\n\r\n', 400, 'invalid_request'],
    ['an invalid host', 'GET /health HTTP/1.1\r\nHost: a b\r\n\r\n', 400, 'invalid_request'],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    ['a header with a control character', 'GET / HTTP/1.1\r\nHost: x\r\nX-A: a\x01b\r\n\r\n', 400, 'invalid_request'],
    ['endless headers', `GET / HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, 400, 'invalid_request'],
    [
      'a broken chunk',
      'POST /provision HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
      400,
      'invalid_request',
    ],
    ['a path that cannot be decoded', 'GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n', 404, 'not_found'],
    [
      'a parameter that cannot be decoded',
      'GET /ota/releases/%ff/download-url?channel=%zz HTTP/1.1\r\nHost: x\r\n\r\n',
      400,
      'validation_failed',
    ],
    [
      'an unknown expectation',
      'POST /provision HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\nContent-Length: 0\r\n\r\n',
      401,
      'auth_required',
    ],
  ])('gets an answer in the usual format: %s', async (_what, bytes, status, code) => {
    const answer = await raw(bytes);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const { error } = JSON.parse(body);
    expect(error).toMatchObject({ code, message: expect.any(String) });
    expect(head.toLowerCase()).toContain(`x-request-id: ${error.requestId}`);
    expect(head).toMatch(/^x-process-time: [\d.]+$/im);
    expect(head).toMatch(/^content-type: application\/json/im);
  });

  it('is served when its body is ignored: GET', async () => {
    const answer = await raw('GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nabcd');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toMatch(/x-request-id/i);
  });

  it.each(['/nowhere', '/ota/latest?serial=%00'])('gets headers and no body for HEAD %s', async (path) => {
    const answer = await backend.call(path, { method: 'HEAD' });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.headers.get('x-request-id')).not.toBeNull();
    expect(answer.body).toBe('');
  });
});
