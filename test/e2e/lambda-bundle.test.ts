import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildLambdaBundle, type LambdaBundle } from '../../tools/build/lambda/lambda-bundle.ts';
import { mintToken } from '../../tools/run/local-stack/cognito/mint-token.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { billing } from '../support/billing.ts';
import { firmware, GOOD, sha256 } from '../support/firmware.ts';
import { jpeg, photoForm } from '../support/photos.ts';
import { newUser } from '../support/tokens.ts';

let backend: Backend;
let directory: string;
let bundle: LambdaBundle;
let lambda: ChildProcess;
let invoke: (
  method: string,
  where: string,
  options?: { headers?: Record<string, string>; body?: unknown; raw?: Buffer | string },
) => Promise<{ statusCode: number; json: Record<string, unknown> }>;

beforeAll(async () => {
  // The test backend provides tables and simulated services. The bundle answers, in its own process.
  backend = await startBackend();
  directory = await mkdtemp(path.join(tmpdir(), 'autowatering-bundle-'));
  bundle = await buildLambdaBundle(directory);
  lambda = spawn(process.execPath, ['test/support/invoke-handler.mjs', bundle.handler], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_NO_WARNINGS: '1', LOG_LEVEL: 'SILENT' },
  });
  const { stdin, stdout } = lambda;
  if (stdin === null || stdout === null) throw new Error('no pipes');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const nextLine = async (prefix: string): Promise<string> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('the bundle ended');
      if (value.startsWith(prefix)) return value.slice(prefix.length);
    }
  };
  await nextLine('ready');
  invoke = async (method, where, options = {}) => {
    const [rawPath = '/', rawQueryString = ''] = where.split('?');
    const event = {
      version: '2.0',
      routeKey: `${method} ${rawPath}`,
      rawPath,
      rawQueryString,
      headers: { 'content-type': 'application/json', ...options.headers },
      requestContext: {
        http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '203.0.113.9', userAgent: 'test' },
        requestId: 'id',
        stage: '$default',
        domainName: 'abc123.execute-api.eu-central-1.amazonaws.com',
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.raw === undefined ? {} : { body: Buffer.from(options.raw).toString('base64') }),
      isBase64Encoded: options.raw !== undefined,
    };
    stdin.write(`${JSON.stringify(event)}\n`);
    const answer: { statusCode: number; body: string } = JSON.parse(await nextLine('answer '));
    return { statusCode: answer.statusCode, json: JSON.parse(answer.body) };
  };
});
afterAll(async () => {
  lambda.kill();
  await backend.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('the bundled function for work by time', () => {
  it('starts, and answers what it is invoked with', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'autowatering-jobs-bundle-'));
    const jobs = await buildLambdaBundle(folder, {}, 'Jobs');
    const child = spawn(process.execPath, ['test/support/invoke-handler.mjs', jobs.handler], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', LOG_LEVEL: 'SILENT' },
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await lines.next();
    child.stdin.write(`${JSON.stringify({ deliver: [] })}\n`);
    expect((await lines.next()).value).toBe('answer {"jobs":[],"delivered":0}');
    child.kill();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);
});

describe('the bundled function of the relay', () => {
  let folder: string;
  let relay: LambdaBundle;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'autowatering-relay-bundle-'));
    relay = await buildLambdaBundle(folder, {}, 'Relay');
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('refuses and takes connections, and answers every event', async () => {
    const child = spawn(process.execPath, ['test/support/invoke-handler.mjs', relay.handler], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_NO_WARNINGS: '1', LOG_LEVEL: 'SILENT' },
    });
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const event = async (route: string, type: string, more: object = {}) => {
      const requestContext = { routeKey: route, eventType: type, connectionId: 'AAAAbbbb1234cc=', requestId: 'id' };
      child.stdin.write(`${JSON.stringify({ requestContext, isBase64Encoded: false, ...more })}\n`);
      return JSON.parse(String((await answers.next()).value).replace('answer ', ''));
    };
    await answers.next();
    const offering = (token: string) => ({
      headers: { 'Sec-WebSocket-Protocol': `autowatering.relay.v1, bearer.${token}` },
    });
    expect(await event('$connect', 'CONNECT', offering('not.a.token'))).toMatchObject({ statusCode: 401 });
    expect(await event('$connect', 'CONNECT', offering(mintToken()))).toEqual({
      ...{ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'autowatering.relay.v1' } },
    });
    expect(await event('$default', 'MESSAGE', { body: 'no frame' })).toEqual({ statusCode: 200 });
    expect(await event('$disconnect', 'DISCONNECT')).toEqual({ statusCode: 200 });
    child.kill();
  }, 60_000);

  const CONNECTION = [
    'src/relay-handler.ts',
    'src/platform/aws/json/json-service.ts',
    'src/platform/aws/credentials.ts',
  ] as const;
  const USERS = [...CONNECTION, 'src/platform/aws/cognito/cognito-verifier.ts'] as const;
  const MESSAGE = [...CONNECTION, 'src/relay/session/conversation.ts'] as const;
  const SESSION = [...MESSAGE, 'src/relay/session-service.ts'] as const;

  it.each([
    ['a connection by a peer', CONNECTION, 85_000],
    ['a connection by a user', USERS, 102_000],
    ['a handshake', MESSAGE, 105_000],
    ['a session', SESSION, 140_000],
  ] as const)('loads little for %s, and never a schema library or a client of the SDK', (_, modules, most) => {
    const loaded = loadedFrom(relay, modules);
    expect(bytesOf(loaded)).toBeLessThanOrEqual(most);
    expect(bytesOf(loaded)).toBeGreaterThan(50_000);
    const foreign = inputsOf(loaded).filter((input) =>
      /node_modules\/(zod|stripe|hono|@smithy|@aws-sdk)\/(?!.*util-dynamodb)/.test(input),
    );
    expect(foreign).toEqual([]);
  });

  it('loads nothing for a connection that only its messages need', () => {
    const inputs = inputsOf(loadedFrom(relay, CONNECTION));
    expect(inputs).toContain('src/relay/session/connect.ts');
    const later =
      /^src\/relay\/(log|frames|rest)\/|deliver\.ts|serve-sealed|sealing|key-schedule|rekey|token-store|account\/store/;
    expect(inputs.filter((input) => later.test(input))).toEqual([]);
  });
});

describe('the bundled Lambda function', () => {
  it('reaches all its dependencies: tables, bucket, secret, key set and Stripe', async () => {
    for (const where of ['/health', '/health/deep', '/health/ota', '/health/stripe', '/health/provision']) {
      const answer = await invoke('GET', where);
      expect(answer.statusCode, JSON.stringify(answer.json)).toBe(200);
    }
  });

  it('serves a user, using the user pool', async () => {
    const headers = { authorization: `Bearer ${mintToken()}` };
    expect((await invoke('GET', '/getProfile', { headers })).statusCode).toBe(200);
    const saved = await invoke('POST', '/saveUserState', { headers, body: { state: { t: 'water '.repeat(5_000) } } });
    expect(saved.json).toMatchObject({ ok: true, docVersion: 1 });
    const deleted = await invoke('POST', '/deleteMyAccount', { headers, body: { confirmText: 'DELETE' } });
    expect(deleted.json).toEqual({ ok: true, deleted: true });
  });

  it('provisions a device and claims it in a transaction', async () => {
    const made = await invoke('POST', '/provision', {
      headers: { 'x-factory-token': backend.secrets.factoryToken },
      body: { hw_id: 'B0B0B0B00001' },
    });
    const headers = { authorization: `Bearer ${mintToken({ use: 'access' })}` };
    const claim = () => invoke('POST', '/claimDevice', { headers, body: { serial: made.json['serial'] } });
    expect((await claim()).json).toMatchObject({ claimed: true, already_owned: false });
    const other = { authorization: `Bearer ${mintToken()}` };
    const late = await invoke('POST', '/claimDevice', { headers: other, body: { serial: made.json['serial'] } });
    expect(late.statusCode).toBe(409);
  });

  it('takes a release from draft to download', async () => {
    const headers = { 'x-admin-token': backend.secrets.adminToken };
    const image = firmware(GOOD['1.0.0']);
    const body = { version: '1.0.0', artifact_size_bytes: image.byteLength, artifact_sha256: sha256(image) };
    const draft = await invoke('POST', '/ota/releases', { headers, body });
    const { upload_url: url, upload_headers: uploadHeaders } = draft.json;
    await fetch(String(url), { method: 'PUT', headers: Object.entries(uploadHeaders ?? {}), body: image });
    const published = await invoke('POST', '/ota/releases/1.0.0/publish', { headers, body: {} });
    expect(published.json).toMatchObject({ published: true });
    const latest = await invoke('GET', '/ota/latest?current_version=0.9.0');
    expect(latest.json).toMatchObject({ update_available: true, latest: { version: '1.0.0' } });
  });

  it('sells a subscription, accepts the signed event and identifies a plant', async () => {
    const people = billing(backend);
    const headers = { authorization: newUser().headers.Authorization };
    const opened = await invoke('POST', '/createSubscriptionCheckout', { headers, body: {} });
    expect(opened.statusCode, JSON.stringify(opened.json)).toBe(200);
    await people.press(String(opened.json['url']), 'pay');
    for (const event of people.events()) {
      const signed = backend.stripe.webhooks.sign(event);
      const webhook = { headers: { 'stripe-signature': signed.headers['Stripe-Signature'] ?? '' }, raw: signed.body };
      expect((await invoke('POST', '/stripeWebhook', webhook)).json).toEqual({ received: true });
    }
    for (const photo of [
      jpeg({ pictureBytes: 1_000_000 }),
      new Uint8Array(await readFile('test/fixtures/photos/leaf.heic')),
    ]) {
      const form = new Response(photoForm(photo));
      const type = form.headers.get('content-type') ?? '';
      const raw = Buffer.from(await form.arrayBuffer());
      const named = await invoke('POST', '/plantId', { headers: { ...headers, 'content-type': type }, raw });
      expect(named.json).toMatchObject({
        provider: 'kindwise',
        best_match: { scientific_name: expect.any(String), probability: expect.any(Number) },
      });
    }
  });

  it('loads little for hot routes: one credentials provider, no Stripe, no S3 client at startup', () => {
    const entry = Object.values(bundle.metafile.outputs).find(({ entryPoint }) => entryPoint === 'src/handler.ts');
    const inputs = Object.keys(entry?.inputs ?? {});
    expect(inputs.length).toBeGreaterThan(25);
    expect(
      inputs.filter((input) => /node_modules\/(stripe|@aws-sdk|@smithy)\/(?!.*util-dynamodb)/.test(input)),
    ).toEqual([]);
    const everything = Object.values(bundle.metafile.outputs).flatMap((output) => Object.keys(output.inputs));
    expect(everything.filter((input) => /credential-provider-(sso|ini|login|process|imds)/.test(input))).toEqual([]);
    expect(
      everything.filter((input) => /zod\/.*(to-json-schema|json-schema-processors)/.test(input)).length,
    ).toBeLessThan(3);
  });

  it('loads at most 100 KB for GET /health, and no schema library', () => {
    const loaded = loadedWith('src/handler.ts', 'src/health/alive-route.ts');
    expect(bytesOf(loaded)).toBeLessThanOrEqual(100_000);
    expect(bytesOf(loaded)).toBeGreaterThan(20_000);
    expect(inputsOf(loaded).filter((input) => /node_modules\/(zod|@aws-sdk\/client)/.test(input))).toEqual([]);
  });

  it('loads at most 200 KB for GET /ota/latest, with neither a schema library nor a client of the SDK', () => {
    const loaded = loadedWith(
      'src/handler.ts',
      'src/ota/offer/routes.ts',
      'src/ota/parts.ts',
      'src/platform/aws/json/json-service.ts',
      'src/platform/aws/credentials.ts',
    );
    expect(bytesOf(loaded)).toBeLessThanOrEqual(200_000);
    const inputs = inputsOf(loaded);
    expect(inputs).toContain('src/ota/registry/stored-release.ts');
    expect(inputs.filter((input) => /node_modules\/(zod|@aws-sdk|@smithy)\/(?!.*util-dynamodb)/.test(input))).toEqual(
      [],
    );
  });

  it('imports node:http nowhere, because that loads undici', () => {
    const imports = Object.values(bundle.metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path));
    expect(imports).toContain('node:https');
    expect(imports.filter((path) => /^(node:)?http$/.test(path))).toEqual([]);
  });

  it('loads no routes of other domains for GET /ota/latest', () => {
    const loaded = loadedWith('src/handler.ts', 'src/ota/offer/routes.ts', 'src/ota/parts.ts');
    const routes = inputsOf(loaded).filter((input) => /^src\/(?!http).*routes?\.ts$/.test(input));
    expect(routes.sort()).toEqual([
      'src/ota/offer/download-route.ts',
      'src/ota/offer/latest-route.ts',
      'src/ota/offer/routes.ts',
      'src/routes.ts',
    ]);
  });
});

type Output = (typeof bundle.metafile.outputs)[string];

/** The files that are loaded when these modules are imported: theirs, and what those import at once. */
function loadedWith(...entryPoints: readonly string[]): readonly Output[] {
  return loadedFrom(bundle, entryPoints);
}

function loadedFrom({ metafile: { outputs } }: LambdaBundle, entryPoints: readonly string[]): readonly Output[] {
  const found = new Map<string, Output>();
  const visit = (file: string): void => {
    const output = outputs[file];
    if (output === undefined || found.has(file)) return;
    found.set(file, output);
    for (const { path, kind } of output.imports) if (kind === 'import-statement') visit(path);
  };
  for (const entryPoint of entryPoints) {
    const file = Object.keys(outputs).find((name) => outputs[name]?.entryPoint === entryPoint);
    if (file === undefined) throw new Error(`${entryPoint} is no entry point of the bundle`);
    visit(file);
  }
  return [...found.values()];
}

function bytesOf(outputs: readonly Output[]): number {
  return outputs.reduce((sum, { bytes }) => sum + bytes, 0);
}

function inputsOf(outputs: readonly Output[]): readonly string[] {
  return outputs.flatMap(({ inputs }) => Object.keys(inputs));
}
