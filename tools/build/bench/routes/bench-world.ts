import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import pMap from 'p-map';
import * as z from 'zod';
import { mintToken } from '../../../run/local-stack/cognito/mint-token.ts';
import { subscriptionObject } from '../../../run/local-stack/stripe/objects.ts';
import { newId } from '../../../run/local-stack/stripe/state.ts';
import type { StripeStandIn } from '../../../run/local-stack/stripe/stripe-stand-in.ts';
import { gatewayEvent } from '../peer/gateway-event.ts';
import type { HandlerProcess } from '../peer/handler-process.ts';
import type { Tokens } from '../peer/peer-scenarios.ts';
import { photoForm, photoOf } from '../photo-body.ts';
import { makeSubscriber, type Subscriber } from '../scenarios/billing-scenarios.ts';
import { type BenchCommands, giveCommands } from './bench-commands.ts';
import { type BenchPeer, createPeers } from './bench-peers.ts';

export interface Person {
  readonly headers: Readonly<Record<string, string>>;
  /** Everybody has their own, because rate limits also count addresses. */
  readonly address: string;
}

export interface MadeDevice {
  readonly hw_id: string;
  readonly serial: string;
  readonly claim_code: string;
}

/** The users, devices and releases that requests to all routes need. */
export interface World {
  readonly number: number;
  readonly track: string;
  readonly people: readonly Person[];
  readonly subscribers: readonly (Subscriber & Person)[];
  readonly leaving: readonly Person[];
  /** Claimed by the person with the same index. */
  readonly owned: readonly MadeDevice[];
  /** Of the device with the same index. */
  readonly commands: readonly BenchCommands[];
  readonly toClaim: readonly MadeDevice[];
  readonly sealed: readonly MadeDevice[];
  readonly toRevoke: readonly MadeDevice[];
  readonly broken: readonly MadeDevice[];
  readonly spare: readonly MadeDevice[];
  /** Phones of people of their own. */
  readonly peers: readonly BenchPeer[];
  readonly lost: readonly BenchPeer[];
  readonly conversations: readonly string[];
  readonly eventId: string;
  readonly signingKey: string;
  readonly stripe: StripeStandIn;
}

/** How many items to create of what requests use up. */
export const RARE = 40;
export const OFTEN = 200;
const SUBSCRIBERS = 60;
const OWNED = 60;
const AT_ONCE = 8;
const IMAGE = 'test/fixtures/firmware/autowatering-1.1.0.signed.bin';

const Made = z.object({ hw_id: z.string(), serial: z.string(), claim_code: z.string().default('') });
const Draft = z.object({ upload_url: z.string(), upload_headers: z.record(z.string(), z.string()) });
const Diagnosed = z.object({ access_token: z.string() });
const KeyAdded = z.object({ key_hash: z.string() });

/**
 * Prepares everything through the handler itself.
 *
 * @param number 0–15; worlds with different numbers can share tables without conflict
 */
export async function createWorld(
  handler: HandlerProcess,
  { factoryToken, adminToken }: Tokens,
  stripe: StripeStandIn,
  number: number,
): Promise<World> {
  const factory = { 'x-factory-token': factoryToken };
  const admin = { 'x-admin-token': adminToken };
  const post = async (path: string, { headers, address }: Person, body: unknown) => {
    const answer = await handler.call(gatewayEvent({ method: 'POST', path, headers, body, address }));
    if (answer.status >= 300) throw new Error(`POST ${path} answered ${answer.status}: ${answer.body}`);
    return JSON.parse(answer.body);
  };
  let addresses = 0;
  const person = (name: string, index: number): Person => {
    addresses += 1;
    return {
      headers: { Authorization: `Bearer ${mintToken({ email: `${name}-${number}-${index}@example.com` })}` },
      address: `10.${number}.${addresses >> 8}.${addresses & 255}`,
    };
  };
  const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
  const line: Person = { headers: factory, address: '10.255.0.1' };
  const office: Person = { headers: admin, address: '10.255.0.2' };
  let devices = 0;
  const provision = (count: number, status: 'active' | 'factory_only' = 'active') =>
    pMap(
      many(count, () => {
        devices += 1;
        return `ADE${number.toString(16)}${devices.toString(16).padStart(12, '0')}`.toUpperCase();
      }),
      async (hwId) => Made.parse(await post('/provision', line, { hw_id: hwId, status })),
      { concurrency: AT_ONCE },
    );

  const people = many(OFTEN, (index) => person('person', index));
  const claim = (list: readonly MadeDevice[]) =>
    pMap(
      list.map((device, index) => ({ device, by: people[index] ?? line })),
      ({ device: { serial }, by }) => post('/claimDevice', by, { serial }),
      { concurrency: AT_ONCE },
    );
  const [owned, toClaim, toRevoke] = [await provision(OWNED), await provision(OFTEN), await provision(RARE)];
  const [broken, spare, sealed] = [await provision(RARE), await provision(RARE), await provision(RARE, 'factory_only')];
  await claim(owned);
  await claim(broken);
  await pMap(broken, ({ hw_id: hwId }) => post('/revokeDevice', line, { hw_id: hwId }), { concurrency: AT_ONCE });

  const subscribers = await pMap(
    many(SUBSCRIBERS, (index) => person('subscriber', index)),
    async (subscriber) => {
      const ask = async (path: string, init: RequestInit = {}) => {
        const method = init.method === 'POST' ? 'POST' : 'GET';
        const { address, headers } = subscriber;
        const body = method === 'POST' ? { body: {} } : {};
        const answer = await handler.call(gatewayEvent({ method, path, headers, address, ...body }));
        return new Response(answer.body, { status: answer.status });
      };
      return { ...subscriber, ...(await makeSubscriber(ask, stripe, subscriber.headers)) };
    },
    { concurrency: 4 },
  );
  const conversations = await pMap(
    subscribers,
    async ({ headers, address }) => {
      const raw = photoForm(photoOf(2_000));
      const answer = await handler.call(gatewayEvent({ method: 'POST', path: '/aiDoctor', headers, address, raw }));
      return Diagnosed.parse(JSON.parse(answer.body)).access_token;
    },
    { concurrency: 4 },
  );
  const [{ subscription } = { subscription: undefined }] = subscribers;
  if (subscription === undefined) throw new Error('no subscriber');
  const event = { id: newId('evt'), type: 'customer.subscription.updated', created: stripe.state.now() };
  const signed = stripe.webhooks.sign({ ...event, object: subscriptionObject(subscription) });
  await handler.call(
    gatewayEvent({ method: 'POST', path: '/stripeWebhook', headers: signed.headers, raw: signed.body }),
  );

  const track = `bench-${number}`;
  const image = await readFile(IMAGE);
  const release = {
    ...{ version: '1.1.0', channel: track, rollout_pct: 100 },
    halt_policy: { min_reports: 1_000_000, max_failure_pct: 100 },
    artifact_size_bytes: image.byteLength,
    artifact_sha256: createHash('sha256').update(image).digest('hex'),
  };
  const draft = Draft.parse(await post('/ota/releases', office, release));
  const put = await fetch(draft.upload_url, { method: 'PUT', headers: draft.upload_headers, body: image });
  if (!put.ok) throw new Error(`the firmware upload failed: ${put.status}`);
  await post('/ota/releases/1.1.0/publish', office, { channel: track });
  const publicKey = await readFile('test/fixtures/firmware/dev-signing-key.pub.pem', 'utf8');
  const { key_hash: signingKey } = KeyAdded.parse(
    await post('/ota/keys', office, { board: `bench_board_${number}`, public_key: publicKey }),
  );
  return {
    ...{ number, track, people, subscribers, owned, toClaim, sealed, toRevoke, broken, spare, conversations },
    commands: await giveCommands(
      post,
      owned.map((device, index) => ({ device, by: people[index] ?? line })),
    ),
    peers: await createPeers(
      handler,
      many(RARE, (index) => person('peer', index)),
    ),
    lost: await createPeers(
      handler,
      many(RARE, (index) => person('lost', index)),
    ),
    leaving: many(RARE, (index) => person('leaving', index)),
    ...{ eventId: event.id, signingKey, stripe },
  };
}
