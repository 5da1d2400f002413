import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import {
  BleLink,
  Garden,
  Hub,
  memoryHubMemory,
  registerHub,
  SimulatedDevice,
  trustedKey,
  VirtualTime,
  virtualAir,
} from '@autowatering/firmware-sim';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { PlainError } from '../../../cli/plain-error.ts';
import { apiClient } from '../../../cli/target/api-client.ts';
import { mintToken } from '../../../run/local-stack/cognito/mint-token.ts';
import { type Stack, startStack } from '../../../run/local-stack/stack.ts';
import { percentile } from '../statistics.ts';

/** An account may give so many within ten minutes, and a few are for warming up. */
export const MOST_COMMANDS = 50;
const WARM_UP = 4;
const DAY_MS = 86_400_000;
const PATIENCE_MS = 20_000;
const LOOK_MS = 5;
const HW_ID = 'C0:FF:EE:00:00:42';
const FIRMWARE = 'test/fixtures/firmware';

/** Milliseconds since the owner's tap. */
export interface Waited {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

export interface CommandsCost {
  readonly node: string;
  readonly commands: number;
  /** The device has accepted the write. */
  readonly written: Waited;
  /** The hub has seen valve or task, and the service has judged it: the command is done. */
  readonly done: Waited;
}

const Provisioned = z.looseObject({ serial: z.string() });
const SigningKeys = z.object({ keys: z.array(z.object({ key_id: z.string(), public_key: z.string() })) });
const Given = z.object({ command: z.looseObject({ command_id: z.string() }) });

/**
 * Waters and stops through a hub beside a simulated garden, again and again: from the request of an owner who is far away
 * until the evidence is judged. The radio's own time is virtual, and not in the figures.
 */
export async function measureCommands(
  directory: string,
  count: number,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<CommandsCost> {
  onStep('starting a local stack');
  const stack = await startStack({
    ...{ directory, fresh: true, ownPorts: true, isUnderLoad: true, signal },
    // As in production.
    env: { CHECK_RESPONSES: 'false', LOG_LEVEL: 'ERROR' },
  });
  try {
    return await measured(stack, count, signal, onStep);
  } finally {
    await stack.stop();
  }
}

async function measured(
  stack: Stack,
  count: number,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<CommandsCost> {
  const garden = await startedGarden(stack, signal);
  try {
    onStep('warming up');
    for (let number = 0; number < WARM_UP; number += 1) await garden.carry(number);
    onStep(`${count} commands`);
    const took = [];
    for (let number = 0; number < count; number += 1) {
      signal.throwIfAborted();
      took.push(await garden.carry(number));
    }
    garden.check(WARM_UP + count);
    return {
      ...{ node: process.version, commands: count },
      written: waited(took.map(({ writtenMs }) => writtenMs)),
      done: waited(took.map(({ doneMs }) => doneMs)),
    };
  } finally {
    await garden.stop();
  }
}

function waited(all: readonly number[]): Waited {
  return { p50Ms: percentile(all, 0.5), p95Ms: percentile(all, 0.95) };
}

/** An owner's garden that needs no water, with a hub beside it. */
async function startedGarden({ info }: Stack, signal: AbortSignal) {
  const call = apiClient(info.apiBaseUrl, signal);
  const idToken = mintToken({ email: 'garden@example.com' });
  const headers = { Authorization: `Bearer ${idToken}` };
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { serial } = await call('/provision', Provisioned, {
    method: 'POST',
    headers: { 'x-factory-token': info.factoryToken, 'x-factory-station': 'line-1' },
    body: { hw_id: HW_ID, public_key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
  });
  await call('/claimDevice', z.unknown(), { method: 'POST', headers, body: { serial } });

  const time = new VirtualTime();
  const zones = Array.from({ length: 8 }, () => ({ isRainAware: false }));
  const garden = new Garden({ startsAt: Date.now() - DAY_MS, seed: 7, latitude: 10, zones });
  const device = new SimulatedDevice({
    ...{ time, garden, identity: { hwId: HW_ID, privateKey } },
    firmware: await readFile(path.join(FIRMWARE, 'autowatering-1.0.0.signed.bin')),
    keys: [trustedKey(await readFile(path.join(FIRMWARE, 'dev-signing-key.pub.pem'), 'utf8'))],
  });
  await time.advance(DAY_MS);
  const link = new BleLink(device, { mtu: 247, time });
  const { keys } = await call('/ota/signing-keys', SigningKeys);
  let writtenAt = 0;
  const states: string[] = [];
  const hub = await Hub.start({
    memory: memoryHubMemory(),
    devices: [{ hwId: HW_ID, link, air: virtualAir(time) }],
    signingKeys: Object.fromEntries(keys.map(({ key_id: id, public_key: pem }) => [id, pem])),
    openSocket: (url, subprotocols) => new WebSocket(url, subprotocols),
    onWritten: () => {
      writtenAt = performance.now();
    },
    onCarried: ({ state }) => states.push(state),
  });
  await registerHub({ apiUrl: info.apiBaseUrl, idToken, name: 'Shed', hub, signal });
  await until('the hub has no connection', () => hub.state === 'online', signal);

  return {
    /** Waters and stops in turn, so that the device is idle before each run. */
    async carry(number: number): Promise<{ readonly writtenMs: number; readonly doneMs: number }> {
      const intent = number % 2 === 0 ? { kind: 'water', channel: 0, minutes: 1 } : { kind: 'stop' };
      const [since, before] = [performance.now(), states.length];
      await call(`/devices/${serial}/commands`, Given, {
        ...{ method: 'POST', headers },
        body: { command_key: randomUUID(), intent },
      });
      await until('nobody carried a command', () => states.length > before, signal);
      const doneMs = performance.now() - since;
      if (states.at(-1) !== 'done') throw new PlainError(`A command ended as ${states.at(-1)}.`);
      return { writtenMs: writtenAt - since, doneMs };
    },
    /** Every second command let water flow, once. */
    check(commands: number) {
      garden.advanceTo(garden.startsAt + time.now());
      const runs = garden.truth.runs.length + (garden.shown().running === undefined ? 0 : 1);
      if (runs !== Math.ceil(commands / 2)) throw new PlainError(`${commands} commands made ${runs} runs.`);
    },
    stop: () => hub.stop(),
  };
}

async function until(otherwise: string, isSo: () => boolean, signal: AbortSignal): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !isSo(); ) {
    if (Date.now() > end) throw new PlainError(`The benchmark failed: ${otherwise}.`);
    await delay(LOOK_MS, undefined, { signal });
  }
}
