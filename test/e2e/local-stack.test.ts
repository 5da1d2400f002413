import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startApi } from '../../tools/run/local-stack/api-server.ts';
import { cognitoUsers } from '../../tools/run/local-stack/cognito/cognito-users.ts';
import type { Stack } from '../../tools/run/local-stack/stack.ts';
import { type RunningTool, runTool, startTool } from '../support/run-tool.ts';
import { runningStack } from '../support/running-stack.ts';
import { bearer } from '../support/tokens.ts';

const Info = z.object({ apiBaseUrl: z.string(), factoryToken: z.string() });

let directory: string;
let stack: Stack;
let stop: () => Promise<void>;
/** Runs from the start on, beside the other tests. Not from a bundle: this is what `npm run demo` starts. */
let demo: RunningTool;
beforeAll(async () => {
  ({ directory, stack, stop } = await runningStack());
  demo = startTool('demo', ['--directory', path.join(directory, 'demo')]);
});
afterAll(() => stop());

describe('the local stack', () => {
  it('writes everything tools need to stack.json, readable only by its owner', async () => {
    const text = await readFile(path.join(directory, 'stack.json'), 'utf8');
    expect(JSON.parse(text)).toEqual(stack.info);
    expect(Object.keys(stack.info)).toEqual(
      expect.arrayContaining([
        'apiBaseUrl',
        'factoryToken',
        'adminToken',
        'cognito',
        's3',
        'dynamodb',
        'relay',
        'messages',
        'stripe',
        'users',
      ]),
    );
  });

  it('serves an interactive API page with the OpenAPI document', async () => {
    const page = await fetch(stack.info.docsUrl);
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('swagger-ui-bundle.js');
    for (const file of ['openapi.json', 'swagger-ui-bundle.js', 'swagger-ui.css', 'start.js']) {
      expect((await fetch(new URL(file, stack.info.docsUrl))).status).toBe(200);
    }
  });

  it('has a demo user who can log in and call the API from the page', async () => {
    const [user] = stack.info.users;
    const { idToken } = await cognitoUsers(stack.info.cognito).logIn(user?.email ?? '', user?.password ?? '');
    const answer = await fetch(new URL('/myDevices', stack.info.apiBaseUrl), {
      headers: { ...bearer(idToken), Origin: stack.info.apiBaseUrl },
    });
    expect(answer.status).toBe(200);
  });

  it('shows on a page what an owner is sent, at once', async () => {
    const [user] = stack.info.users;
    const { idToken } = await cognitoUsers(stack.info.cognito).logIn(user?.email ?? '', user?.password ?? '');
    const call = (where: string, body?: object) =>
      fetch(new URL(where, stack.info.apiBaseUrl), {
        headers: { ...bearer(idToken), 'Content-Type': 'application/json' },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
    const Channels = z.object({ channels: z.object({ web_push: z.object({ public_key: z.string() }) }) });
    const { channels } = Channels.parse(await (await call('/notifications/settings')).json());
    const browser = await fetch(new URL('/_browsers', stack.info.messages), {
      method: 'POST',
      body: JSON.stringify({ name: 'a laptop', public_key: channels.web_push.public_key }),
    });
    const subscription = z.looseObject({}).parse(await browser.json());
    await call('/notifications/subscriptions', { type: 'web_push', ...subscription });
    expect((await call('/notifications/test', {})).status).toBe(200);
    const page = async () => (await fetch(stack.info.messages)).text();
    // Mail and push are sent side by side.
    await expect.poll(page, { timeout: 10_000 }).toMatch(/a laptop[\s\S]*It works/);
    await expect.poll(page, { timeout: 10_000 }).toContain(user?.email);
  });

  it('serves its metrics in Prometheus text format', async () => {
    await fetch(new URL('/health', stack.info.apiBaseUrl));
    const page = await fetch(new URL('/metrics', stack.info.apiBaseUrl));
    expect(page.headers.get('content-type')).toContain('version=0.0.4');
    const text = await page.text();
    expect(text).toMatch(/^autowatering_requests_total\{route="GET \/health",status="2xx"\} [1-9]/m);
    expect(text).toMatch(/^autowatering_latency_bucket\{.*le="5"\}/m);
  });

  it('cannot be started twice in one directory', async () => {
    const second = await runTool('dev', ['--directory', directory]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('A stack is already running');
  });

  it('starts only once when two starts race', async () => {
    const place = path.join(directory, 'same-moment');
    const [one, two] = [startTool('dev', ['--directory', place]), startTool('dev', ['--directory', place])];
    const loser = await Promise.race([one.ended, two.ended]);
    expect([loser.code, loser.stderr]).toEqual([1, expect.stringContaining('A stack is already running')]);
    for (const dev of [one, two]) dev.child.kill('SIGINT');
    await Promise.all([one.ended, two.ended]);
    expect(await untilGone(place)).toEqual([]);
  });

  it('starts empty with --fresh, but never empties a directory that no stack created', async () => {
    const place = await mkdtemp(path.join(tmpdir(), 'autowatering-precious-'));
    await writeFile(path.join(place, 'thesis.txt'), 'years of work');
    for (const [tool, ...args] of [['dev', '--fresh'], ['demo']] as const) {
      const run = await runTool(tool, [...args, '--directory', place]);
      expect([run.code, run.stderr]).toEqual([1, expect.stringContaining('not emptied')]);
    }
    expect(await readFile(path.join(place, 'thesis.txt'), 'utf8')).toBe('years of work');
    await rm(place, { recursive: true, force: true });
  });

  it('reports a port that is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const run = await runTool('dev', ['--directory', path.join(directory, 'busy'), '--port', String(port)]);
    server.close();
    expect(run.code).toBe(1);
    expect(run.stderr).toContain(`Port ${port} is in use`);
  });

  it('reports all configuration errors at once and does not start', async () => {
    const wrong = {
      ALLOWED_ORIGINS: '*',
      CLAIM_PROOF: 'perhaps',
      STRIPE_PRICE_ID: 'cheap',
      PLANT_ID_DAILY_LIMIT_FREE: '-7',
    };
    const place = path.join(directory, 'wrong');
    const options = { env: wrong, port: 0, buildDirectory: place, logFile: path.join(place, 'api.log') };
    const refusal = await startApi(options, new AbortController().signal).then(
      () => 'started',
      (error: unknown) => String(error),
    );
    for (const name of ['CLAIM_PROOF', 'STRIPE_PRICE_ID', 'PLANT_ID_DAILY_LIMIT_FREE']) expect(refusal).toContain(name);
    expect(refusal).toContain('The API could not start: The configuration is not usable');
  });

  it('reports a missing Java', async () => {
    const run = await runTool('dev', ['--directory', path.join(directory, 'no-java')], { env: { PATH: '/nowhere' } });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('Java 17 or newer');
  });
});

/** The processes that belong to a stack directory. */
async function processesOf(place: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args']);
  return stdout.split('\n').filter((line) => line.includes(place) && !line.includes('ps -eo'));
}

async function untilGone(place: string): Promise<string[]> {
  const deadline = Date.now() + 8_000;
  let left = await processesOf(place);
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setImmediate(resolve));
    left = await processesOf(place);
  }
  return left;
}

describe('npm run dev', () => {
  let place: string;
  let dev: RunningTool;
  beforeAll(async () => {
    place = path.join(directory, 'dev');
    dev = startTool('dev', ['--directory', place]);
    await dev.printed(/Ctrl-C stops everything/);
  });
  const read = async (from: string) => Info.parse(JSON.parse(await readFile(path.join(from, 'stack.json'), 'utf8')));
  const provision = async ({ apiBaseUrl, factoryToken }: z.output<typeof Info>, hwId: string) => {
    const answer = await fetch(new URL('/provision', apiBaseUrl), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'x-factory-token': factoryToken },
      body: JSON.stringify({ hw_id: hwId }),
    });
    expect(answer.ok).toBe(true);
    return z.object({ serial: z.string() }).parse(await answer.json());
  };

  it('shows what an app developer needs', async () => {
    const screen = dev.output();
    for (const word of ['API page', 'Factory token', 'Admin token', 'Demo log-in', 'Try it:'])
      expect(screen).toContain(word);
    const lines = screen.split('\n').filter((line) => line.startsWith('curl '));
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      const { stdout } = await promisify(execFile)('sh', ['-c', line]);
      expect(JSON.parse(stdout)).toMatchObject({ ok: true });
    }
  });

  it('leaves no process behind when killed, keeps its data, and stops cleanly', async () => {
    const before = await read(place);
    const made = await provision(before, 'AA:BB:CC:DD:EE:01');
    expect((await processesOf(place)).length).toBeGreaterThan(1);
    dev.child.kill('SIGKILL');
    await dev.ended;
    expect(await untilGone(place)).toEqual([]);

    // The file it left names a process that is gone, so a new stack may start.
    const again = startTool('dev', ['--directory', place]);
    await again.printed(/Ctrl-C stops everything/);
    const after = await read(place);
    expect(after.factoryToken).toBe(before.factoryToken);
    // A stack without the first device would assign its serial again.
    expect((await provision(after, 'AA:BB:CC:DD:EE:02')).serial).not.toBe(made.serial);
    expect((await provision(after, 'AA:BB:CC:DD:EE:01')).serial).toBe(made.serial);
    again.child.kill('SIGINT');
    expect((await again.ended).code).toBe(0);
    expect(await untilGone(place)).toEqual([]);
  });

  it('leaves no process behind when Ctrl-C comes during startup', async () => {
    const place = path.join(directory, 'early');
    const dev = startTool('dev', ['--directory', place]);
    await dev.printed(/starting DynamoDB/);
    dev.child.kill('SIGINT');
    expect((await dev.ended).code).toBe(130);
    expect(await untilGone(place)).toEqual([]);
  });
});

describe('npm run sim -- hub', () => {
  it('registers a hub beside devices of the demo user, visits them, and is the same hub the next time', async () => {
    const place = path.join(directory, 'hub');
    const args = ['hub', '--stack', directory, '--directory', place, '--devices', '1', '--once', '--json'];
    const runs = [await runTool('sim', args), await runTool('sim', args)];
    const visits = runs.map(({ code, stdout }) => [code, JSON.parse(stdout)]);
    const visit = { serial: expect.stringMatching(/^\d{6}$/), outcome: 'nothing_offered', reason: 'no_release' };
    expect(visits).toEqual([
      [0, visit],
      [0, visits[0]?.[1]],
    ]);
    const [user] = stack.info.users;
    const { idToken } = await cognitoUsers(stack.info.cognito).logIn(user?.email ?? '', user?.password ?? '');
    const answer = await fetch(new URL('/relay/peers', stack.info.apiBaseUrl), { headers: bearer(idToken) });
    expect(await answer.json()).toMatchObject({ peers: [{ name: 'Simulated hub', type: 'hub' }] });
  });
});

describe('npm run demo', () => {
  it('stops everything when Ctrl-C comes in the middle', async () => {
    const place = path.join(directory, 'demo-stopped');
    const early = startTool('demo', ['--directory', place]);
    await early.printed(/2\. Factory/);
    early.child.kill('SIGINT');
    const run = await early.ended;
    expect(run.code).toBe(130);
    expect(run.stderr).toBe('Stopped.\n');
    expect(await untilGone(place)).toEqual([]);
  });

  it('runs to the end, stops everything and exits with 0', async () => {
    const run = await demo.ended;
    expect(run.stderr).toBe('');
    expect(run.code).toBe(0);
    for (const part of [
      'no duplicate serials',
      'already_claimed',
      'the device runs 2.0.0',
      'both show {"name":"Greenhouse","litres":4}',
      'the hub took',
      'it is out after',
      'rolls it back',
      '0 failed',
      'Time per chapter',
    ]) {
      expect(run.stdout).toContain(part);
    }
    expect(await untilGone(path.join(directory, 'demo'))).toEqual([]);
  }, 90_000);
});
