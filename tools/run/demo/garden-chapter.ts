import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  BleLink,
  type CarriedCommand,
  Garden,
  GardenSync,
  gardenOverLink,
  Hub,
  memoryHubMemory,
  memorySyncMemory,
  registerHub,
  SimulatedDevice,
  type TrustedKey,
  telemetryClient,
  VirtualTime,
  virtualAir,
} from '@autowatering/firmware-sim';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { apiClient, type CallApi } from '../../cli/target/api-client.ts';
import type { Stack } from '../local-stack/stack.ts';
import { type Story, StoryError } from './story.ts';

const HW_ID = 'C0:FF:EE:00:00:07';
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const LEAK_ML_PER_MINUTE = 1_500;
const PATIENCE_MS = 20_000;
const LOOK_MS = 50;
const MEASURED_PAIRS = 10;

const Provisioned = z.looseObject({ serial: z.string() });
const SigningKeys = z.object({ keys: z.array(z.object({ key_id: z.string(), public_key: z.string() })) });
const Inbox = z.object({
  notifications: z.array(z.looseObject({ kind: z.string(), title: z.string(), serial: z.string().nullish() })),
});
const Insights = z.object({
  insights: z.array(
    z.looseObject({ kind: z.string(), rests_on: z.array(z.string()), until_at: z.number().nullable() }),
  ),
});
const Given = z.object({ command: z.looseObject({ command_id: z.string() }) });
const Shown = z.object({ command: z.looseObject({ state: z.string() }) });

export interface GardenStory {
  readonly story: Story;
  readonly stack: Stack;
  readonly idToken: string;
  readonly firmware: Uint8Array;
  readonly key: TrustedKey;
  readonly signal: AbortSignal;
}

/** A pipe leaks. The owner, who is not there, is told, sees it, and stops the watering through the hub. */
export async function gardenChapter(options: GardenStory): Promise<void> {
  const { story, stack, idToken, signal } = options;
  const call = apiClient(stack.info.apiBaseUrl, signal);
  const headers = { Authorization: `Bearer ${idToken}` };
  const place = await startedGarden(options, call);
  const { garden, hub, carried, serial, letPass } = place;
  try {
    story.fact(`device ${serial} waters a garden; the owner's phone has read it, a hub stays beside it`);
    await measureCommands(options, place, call);
    // The device locks itself for six hours when it notices; what is scheduled waits in its queue.
    garden.plant({ kind: 'leak', mlPerMinute: LEAK_ML_PER_MINUTE, from: garden.now, until: garden.now + 24 * HOUR_MS });
    await letPass(HOUR_MS);
    story.fact('a pipe leaks 1.5 litres a minute; after a quarter of an hour the device notices, and nobody is there');
    await story.display.during('The hub reads the garden', () => hub.round());
    const inbox = await soon('the owner was not told of the leak', async () => {
      const { notifications } = await call('/notifications', Inbox, { headers });
      return notifications.find((message) => message.serial === serial && ['leak', 'alarm'].includes(message.kind));
    });
    story.fact(`the owner is told: “${inbox.title}”`);
    const mail = stack.engines.messages.sent().find(({ title }) => title.includes(inbox.title));
    if (mail !== undefined) story.fact(`and by mail, on the local stack's page ${stack.engines.messages.url}`);
    const leak = await soon('no phone would show the leak', async () => {
      const { insights } = await call(`/telemetry/devices/${serial}/insights`, Insights, { headers });
      return insights.find(({ kind, until_at: until }) => kind === 'leak' && until === null);
    });
    story.fact(`the phone shows a leak that goes on, by ${leak.rests_on.join(', ').replaceAll('_', ' ')}`);

    await letPass(6 * HOUR_MS);
    const running = garden.shown();
    story.promise(
      running.running !== undefined,
      `six hours later the device tries again: zone 1 is watered, leak and all, ${(running.mlPerMinute / 1000).toFixed(1)} l/min`,
    );
    carried.length = 0;
    const since = performance.now();
    const { command } = await call(`/devices/${serial}/commands`, Given, {
      ...{ method: 'POST', headers },
      body: { command_key: randomUUID(), intent: { kind: 'stop' } },
    });
    await soon('nobody carried the stop', async () => carried.find(({ state }) => state === 'done'));
    const ms = Math.round(performance.now() - since);
    const { state } = (await call(`/devices/${serial}/commands/${command.command_id}`, Shown, { headers })).command;
    const { openValves } = garden.shown();
    story.promise(
      state === 'done' && openValves.length === 0,
      `far away, the owner says stop: the hub carries it, the valve is shut, and that is seen after ${ms} ms`,
    );
  } finally {
    await hub.stop();
  }
}

/** How long a command takes from the owner's tap to the device, without the radio: its time is virtual. */
async function measureCommands(
  { story, idToken }: GardenStory,
  { written, carried, serial }: Place,
  call: CallApi,
): Promise<void> {
  const headers = { Authorization: `Bearer ${idToken}` };
  const took: number[] = [];
  const intents = Array.from({ length: MEASURED_PAIRS }, () => [
    { kind: 'water', channel: 0, minutes: 1 },
    { kind: 'stop' },
  ]);
  await story.display.during('Water and stop, again and again', async () => {
    for (const intent of intents.flat()) {
      const [since, before] = [performance.now(), carried.length];
      await call(`/devices/${serial}/commands`, Given, {
        ...{ method: 'POST', headers },
        body: { command_key: randomUUID(), intent },
      });
      await soon('nobody carried a command', async () => (carried.length > before ? true : undefined));
      took.push((written.at(-1) ?? since) - since);
    }
  });
  took.sort((one, other) => one - other);
  const at = (share: number) => Math.round(took[Math.floor(share * (took.length - 1))] ?? 0);
  const isDone = carried.every(({ state }) => state === 'done');
  story.promise(
    isDone,
    `${took.length} commands from a phone through the hub: at the valve after ${at(0.5)} ms, 95 % within ${at(0.95)} ms, besides the radio`,
  );
}

interface Place {
  readonly garden: Garden;
  readonly hub: Hub;
  readonly carried: CarriedCommand[];
  /** When the device accepted each command, on the clock of `performance`. */
  readonly written: readonly number[];
  readonly serial: string;
  /** Time goes by in the garden. */
  readonly letPass: (ms: number) => Promise<void>;
}

/** The owner's third device in its garden, and a hub beside it. It is seven hours earlier there. */
async function startedGarden({ stack, idToken, firmware, key, signal }: GardenStory, call: CallApi): Promise<Place> {
  const { info } = stack;
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const { serial } = await call('/provision', Provisioned, {
    method: 'POST',
    headers: { 'x-factory-token': info.factoryToken, 'x-factory-station': 'line-1' },
    body: { hw_id: HW_ID, public_key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
  });
  const headers = { Authorization: `Bearer ${idToken}` };
  await call('/claimDevice', z.unknown(), { method: 'POST', headers, body: { serial } });

  const startsAt = Date.now() - 7 * HOUR_MS - 10 * MINUTE_MS;
  const garden = new Garden({ startsAt, seed: 7, latitude: 10, zones: [{}, dueIn(startsAt, 3 * HOUR_MS)] });
  const time = new VirtualTime();
  const identity = { hwId: HW_ID, privateKey };
  const device = new SimulatedDevice({ time, firmware, keys: [key], identity, garden });
  const link = new BleLink(device, { mtu: 247, time });
  // A hub leaves a device alone for a minute after a phone: this one comes later.
  const now = () => startsAt + time.now();
  const phone = new GardenSync({
    memory: memorySyncMemory(),
    now: Date.now,
    name: 'ada',
    timeZone: 'Europe/Bucharest',
  });
  await time.run(async () => {
    const transport = await link.connect();
    const reach = gardenOverLink(transport, time, now);
    if (reach !== undefined) await phone.visit({ serial, reach });
    transport.close();
  });
  const { trouble } = await phone.send(telemetryClient({ apiBaseUrl: info.apiBaseUrl, idToken, signal }));
  if (trouble !== undefined) throw trouble;
  const { keys } = await call('/ota/signing-keys', SigningKeys);
  const carried: CarriedCommand[] = [];
  const written: number[] = [];
  const hub = await Hub.start({
    memory: memoryHubMemory(),
    devices: [{ hwId: HW_ID, link, air: virtualAir(time) }],
    signingKeys: Object.fromEntries(keys.map(({ key_id: id, public_key: pem }) => [id, pem])),
    openSocket: (url, subprotocols) => new WebSocket(url, subprotocols),
    onWritten: () => written.push(performance.now()),
    onCarried: (command) => carried.push(command),
  });
  await registerHub({ apiUrl: info.apiBaseUrl, idToken, name: 'Greenhouse', hub, signal });
  await soon('the hub has no connection', async () => (hub.state === 'online' ? true : undefined));
  return {
    ...{ garden, hub, carried, written, serial },
    async letPass(ms) {
      await time.advance(ms);
      garden.advanceTo(startsAt + time.now());
    },
  };
}

/** A zone that is watered by litres so late after that moment. */
function dueIn(startsAt: number, ms: number) {
  // The garden's clock is Romania's; in summer three hours ahead of UTC, else two.
  const local = new Intl.DateTimeFormat('en-GB', {
    ...{ timeZone: 'Europe/Bucharest', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  }).format(startsAt + ms);
  const [hour = 0, minute = 0] = local.split(':').map(Number);
  return { isRainAware: false, mlPerMinute: 9_000, schedule: { hour, minute, amount: { minutes: 90 } } };
}

async function soon<T>(otherwise: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; ) {
    const found = await look();
    if (found !== undefined) return found;
    await delay(LOOK_MS);
  }
  throw new StoryError(`The demo failed: ${otherwise}`);
}
