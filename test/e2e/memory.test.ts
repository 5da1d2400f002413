import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gatewayEvent } from '../../tools/build/bench/peer/gateway-event.ts';
import { type HandlerProcess, startHandler } from '../../tools/build/bench/peer/handler-process.ts';
import { leakedBytes, sampleMemory } from '../../tools/build/bench/routes/growth.ts';
import { buildLambdaBundle } from '../../tools/build/lambda/lambda-bundle.ts';
import { mintToken } from '../../tools/run/local-stack/cognito/mint-token.ts';
import { type Backend, startBackend } from '../support/backend.ts';

const { signal } = new AbortController();
const handlers: HandlerProcess[] = [];
let backend: Backend;
let directory: string;
let ours: string;

beforeAll(async () => {
  // Lends its tables and stand-ins to the bundle.
  backend = await startBackend();
  directory = await mkdtemp(path.join(tmpdir(), 'autowatering-memory-'));
  ours = (await buildLambdaBundle(directory)).handler;
  await writeFile(
    path.join(directory, 'leaking.mjs'),
    `import { handler as ours } from './handler.mjs';
     const kept = [];
     export const handler = (event, context) => {
       // With header and place in the list, 100 bytes.
       kept.push(Buffer.alloc(80, 1).toString('latin1'));
       return ours(event, context);
     };`,
  );
});
afterAll(async () => {
  await Promise.all(handlers.map((handler) => handler.stop()));
  await backend.stop();
  await rm(directory, { recursive: true, force: true });
});

async function start(file: string): Promise<HandlerProcess> {
  const env = Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  const handler = await startHandler(file, { ...Object.fromEntries(env), LOG_LEVEL: 'INFO' }, signal);
  handlers.push(handler);
  return handler;
}

const get = (where: string, headers: Readonly<Record<string, string>> = {}) =>
  gatewayEvent({ method: 'GET', path: where, headers });

/** Answered without any engine: good ones, and refusals of each kind. */
const QUICK = [
  get('/health'),
  get('/health/deep'),
  get('/health/stripe'),
  get('/aiDoctorHealth'),
  get('/appReturn?to=autowatering%3A%2F%2Fpremium'),
  get('/appReturn?to=https%3A%2F%2Felsewhere.example'),
  get('/getProfile'),
  get('/nowhere'),
  gatewayEvent({ method: 'POST', path: '/provision', body: { hw_id: 'ABCDEF0123456789' } }),
  gatewayEvent({ method: 'POST', path: '/updateProfile', raw: '{"profile":' }),
];
const QUICK_RUN = { events: QUICK, atOnce: 4, every: 6_000, samples: 3 };
/** These wait for a process that computes; on a busy machine that takes long. */
const TIMEOUT_MS = 120_000;

// Each has a process of its own, and what one of them keeps does not depend on the others.
describe.concurrent('the memory of the function', () => {
  it(
    'stays flat over requests that need no engine',
    async () => {
      expect(leakedBytes(await sampleMemory(await start(ours), QUICK_RUN))).toBeLessThan(50);
    },
    TIMEOUT_MS,
  );

  it(
    'stays flat over signed answers, rules from the database and tokens',
    async () => {
      const latest = get('/ota/latest?current_version=1.0.0');
      const expired = { Authorization: `Bearer ${mintToken({ expiresAt: 1_000_000_000 })}` };
      // The rules are read once a second: a request of its own to the database would make this test slow.
      const events = [latest, latest, get('/ota/signing-keys'), get('/getProfile', expired)];
      const run = { events, atOnce: 4, every: 4_000, samples: 3 };
      expect(leakedBytes(await sampleMemory(await start(ours), run))).toBeLessThan(50);
    },
    TIMEOUT_MS,
  );

  it(
    'would be seen to grow by 100 bytes a request',
    async () => {
      const leaking = await start(path.join(directory, 'leaking.mjs'));
      expect(leakedBytes(await sampleMemory(leaking, QUICK_RUN))).toBeGreaterThan(50);
    },
    TIMEOUT_MS,
  );
});
