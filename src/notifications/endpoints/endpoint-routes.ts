import { createECDH } from 'node:crypto';
import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import { listed } from '../../platform/aws/secrets.ts';
import { MOBILE_PLATFORMS } from '../../platform/messaging/mobile-push.ts';
import { isPushAddress } from '../../platform/messaging/web-push/push-hosts.ts';
import { readVapidKey } from '../../platform/messaging/web-push/vapid.ts';
import type { Services } from '../../platform/services.ts';
import { channelOff } from '../settings/settings-routes.ts';
import { type Endpoint, endpointIdOf } from './endpoint.ts';
import { type EndpointStore, MOST_ENDPOINTS } from './endpoint-store.ts';
import { createRemoveTarget } from './remove-target.ts';

const CHANGE_LIMIT = { requests: 60, windowSeconds: 600 } as const;
const AUTH_BYTES = 16;
/** FCM's tokens have about 160 characters, Apple's 64 to 200. */
const LONGEST_TOKEN = 1024;

const base64url = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9_-]+={0,2}$/, 'base64url');

const NewSubscription = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('web_push'),
    endpoint: z.string().max(1024),
    /** Browsers always send it, mostly as null. A push service says itself when an address is gone. */
    expirationTime: z.number().nullable().optional(),
    keys: z.strictObject({
      p256dh: base64url.refine(isPoint, 'a public key of P-256'),
      auth: base64url.refine((text) => bytes(text).length === AUTH_BYTES, '16 bytes'),
    }),
    public_key: base64url
      .optional()
      .meta({ description: 'What the browser subscribed with; the current key if left out' }),
  }),
  z.strictObject({
    type: z.literal('mobile_push'),
    platform: z.enum(MOBILE_PLATFORMS),
    token: z
      .string()
      .min(16)
      .max(LONGEST_TOKEN)
      .regex(/^[\w:.=/+-]+$/, "the app's token"),
  }),
]);

const Shown = z.object({
  subscription_id: z.string(),
  type: z.enum(['web_push', 'mobile_push']),
  /** The push service's host, or the platform. */
  service: z.string(),
  created_at: z.number(),
});

export interface EndpointRouteParts {
  readonly endpoints: EndpointStore;
  readonly isAlive: AliveCheck;
}

/** The browsers and apps that take an account's pushes. */
export function endpointRoutes(
  services: Pick<Services, 'config' | 'log' | 'messengers' | 'secrets'>,
  { endpoints, isAlive }: EndpointRouteParts,
): readonly Route[] {
  const { config, messengers, secrets } = services;
  const removeTarget = createRemoveTarget(services);

  const webEndpoint = async (
    { endpoint: address, keys, public_key: given }: Extract<z.output<typeof NewSubscription>, { type: 'web_push' }>,
    now: number,
  ): Promise<Endpoint> => {
    const own = listed((await secrets.values()).VAPID_KEY).map((text) => readVapidKey(text).publicKey);
    const serverKey = given === undefined ? own[0] : own.find((key) => key === bytes(given).toString('base64url'));
    if ((await messengers()).webPush === undefined || own.length === 0) throw channelOff();
    if (serverKey === undefined)
      throw new ApiError('push_key_unknown', 'Please open the app again, so that it can subscribe anew.');
    if (!isPushAddress(address, config.notifications.extraPushOrigins)) {
      throw new ApiError('push_service_unknown', 'This browser’s push service is not supported.');
    }
    const { p256dh, auth } = keys;
    return {
      ...{ endpointId: endpointIdOf(address), createdAt: now, type: 'web_push', address, serverKey },
      ...{ p256dh: bytes(p256dh).toString('base64url'), auth: bytes(auth).toString('base64url') },
    };
  };

  const mobileEndpoint = async (
    { platform, token }: Extract<z.output<typeof NewSubscription>, { type: 'mobile_push' }>,
    now: number,
  ): Promise<Endpoint> => {
    const { mobilePush } = await messengers();
    if (mobilePush === undefined || !mobilePush.platforms.includes(platform)) throw channelOff();
    const target = await mobilePush.register(platform, token);
    if (target === undefined)
      throw new ApiError('push_token_invalid', 'This phone could not be set up for messages. Please restart the app.');
    return { endpointId: endpointIdOf(`${platform}:${token}`), createdAt: now, type: 'mobile_push', platform, target };
  };

  const add = defineRoute({
    method: 'POST',
    path: '/notifications/subscriptions',
    auth: 'cognito',
    idempotent: true,
    domain: 'notifications',
    summary: 'Has pushes sent to this browser or app',
    description:
      'For a browser, its `PushSubscription` as JSON (`toJSON()`), and `type: web_push` beside it; `endpoint` must be an ' +
      'address of a browser’s push service. For an app, the token it got from Apple or Google. The same again changes nothing. A browser or app ' +
      `belongs to the account that signed in there last. An account has at most ${MOST_ENDPOINTS}; the oldest gives way.`,
    rateLimit: CHANGE_LIMIT,
    body: NewSubscription,
    responses: { 200: z.object({ ok: z.literal(true), subscription: Shown }) },
    errors: ['channel_off', 'push_service_unknown', 'push_key_unknown', 'push_token_invalid'],
  }).handledBy(async ({ caller: { uid }, body }, { now }) => {
    const endpoint = body.type === 'web_push' ? await webEndpoint(body, now) : await mobileEndpoint(body, now);
    const gaveWay = await endpoints.put(uid, endpoint, isAlive);
    if (gaveWay === undefined) throw new ApiError('account_deleted', 'This account has been deleted.');
    await Promise.all(gaveWay.map(removeTarget));
    return { status: 200, body: { ok: true, subscription: shown(endpoint) } };
  });

  const list = defineRoute({
    method: 'GET',
    path: '/notifications/subscriptions',
    auth: 'cognito',
    openToPeers: true,
    domain: 'notifications',
    summary: 'Lists the browsers and apps that get pushes',
    description: 'Oldest first. One that its push service no longer knows disappears with the next message.',
    responses: { 200: z.object({ ok: z.literal(true), subscriptions: z.array(Shown) }) },
    errors: [],
  }).handledBy(async ({ caller }) => {
    const all = await endpoints.list(caller.uid);
    return { status: 200, body: { ok: true, subscriptions: all.map(shown) } };
  });

  const remove = defineRoute({
    method: 'POST',
    path: '/notifications/subscriptions/{subscription_id}/remove',
    auth: 'cognito',
    idempotent: true,
    domain: 'notifications',
    summary: 'Sends no more pushes to a browser or app',
    description:
      'Before somebody signs out there. Not open to peers: a stolen hub must not silence its owner. One that is not there counts as removed.',
    rateLimit: CHANGE_LIMIT,
    params: z.object({ subscription_id: z.string().regex(/^[A-Za-z0-9_-]{32}$/, 'the id of a subscription') }),
    body: z.strictObject({}),
    responses: { 200: z.object({ ok: z.literal(true) }) },
    errors: [],
  }).handledBy(async ({ caller: { uid }, params }) => {
    const endpointId = params.subscription_id;
    const known = (await endpoints.list(uid)).find((one) => one.endpointId === endpointId);
    await endpoints.remove(uid, endpointId);
    if (known !== undefined) await removeTarget(known);
    return { status: 200, body: { ok: true } };
  });

  return [add, list, remove];
}

function shown(endpoint: Endpoint): z.input<typeof Shown> {
  const { endpointId, createdAt, type } = endpoint;
  const service = endpoint.type === 'web_push' ? new URL(endpoint.address).host : endpoint.platform;
  return { subscription_id: endpointId, type, service, created_at: createdAt };
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'base64url');
}

/** Checks by computing with it: a key off the curve must never meet one of ours. */
function isPoint(text: string): boolean {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  try {
    ecdh.computeSecret(bytes(text));
    return bytes(text).length === 65;
  } catch {
    return false;
  }
}
