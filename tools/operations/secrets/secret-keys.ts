import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** One entry of an environment's secret. */
export interface SecretKey {
  /** What it is for, shown when asking for the value. */
  readonly purpose: string;
  /** Generates a new value. Absent if the value comes from another service's dashboard. */
  readonly generate?: () => string;
  /** Generates a placeholder for a value that can't be known yet: well-formed, but random and therefore unusable. */
  readonly standIn?: () => string;
  /** `list`: the old value stays valid next to the new one. `never`: stored marks depend on it. */
  readonly rotation: 'list' | 'replace' | 'never';
  /** What stops working when a value is removed while still in use. */
  readonly ends?: string;
  readonly pattern: RegExp;
}

const token = () => randomBytes(32).toString('base64url');

const STAND_IN = 'whsec_later_';

/** Every entry that the backend reads (architecture page, "Failing well"). */
const SECRET_KEYS = {
  FACTORY_PROVISION_TOKEN: {
    ...{ purpose: 'authorises the factory line to provision devices', generate: token, rotation: 'list' },
    ends: 'stations that use it can no longer provision',
    pattern: /^\S{16,}$/,
  },
  OTA_ADMIN_TOKEN: {
    ...{ purpose: 'authorises release engineers and operators', generate: token, rotation: 'list' },
    pattern: /^\S{16,}$/,
  },
  RATE_LIMIT_SALT: {
    ...{ purpose: 'hashes users and addresses in counters and trial marks', generate: token, rotation: 'never' },
    pattern: /^\S{16,}$/,
  },
  CLAIM_CODE_KEY: {
    ...{ purpose: 'hashes claim and transfer codes', generate: token, rotation: 'list' },
    ends: 'labels printed before the rotation open nothing any more, and every unclaimed device needs a new code',
    pattern: /^\S{32,}$/,
  },
  OTA_SIGNING_KEY: {
    ...{ purpose: 'signs the update offers for the app', generate: signingKey, rotation: 'list' },
    ends: 'apps that trust only that key no longer accept updates',
    pattern: /^[A-Za-z0-9+/]{40,}={0,2}$/,
  },
  RELAY_IDENTITY_KEY: {
    ...{ purpose: "is the relay's identity and signs its access tokens", generate: signingKey, rotation: 'list' },
    ends: 'apps that pin only that key no longer connect to the relay',
    pattern: /^[A-Za-z0-9+/]{40,}={0,2}$/,
  },
  RELAY_WRAP_KEY: {
    ...{ purpose: "encrypts the relay's session keys at rest", generate: token, rotation: 'list' },
    ends: 'sessions opened before the rotation end, and their peers connect again',
    pattern: /^\S{32,}$/,
  },
  VAPID_KEY: {
    ...{ purpose: 'is what push services know this server by', generate: pushKey, rotation: 'list' },
    ends: 'browsers that subscribed before the rotation get no more pushes until the app is opened there',
    pattern: /^[A-Za-z0-9+/]{40,}={0,2}$/,
  },
  UNSUBSCRIBE_KEY: {
    ...{ purpose: 'signs the links in mails that end them', generate: token, rotation: 'list' },
    ends: 'links in mails sent before the rotation work no more',
    pattern: /^\S{32,}$/,
  },
  STRIPE_SECRET_KEY: {
    ...{ purpose: 'Stripe, Developers, API keys: the secret or a restricted key', rotation: 'replace' },
    pattern: /^(sk|rk)_(test|live)_[\w-]{8,}$/,
  },
  // Stripe issues it per endpoint, and the endpoint only exists after the first deployment.
  STRIPE_WEBHOOK_SECRET: {
    ...{ purpose: 'Stripe, Developers, Webhooks: the signing secret of this endpoint', rotation: 'list' },
    standIn: () => `${STAND_IN}${token()}`,
    pattern: /^whsec_\S{8,}$/,
  },
  KINDWISE_API_KEY: { purpose: 'plant.id by Kindwise, API keys', rotation: 'replace', pattern: /^\S{8,}$/ },
  PLANTNET_API_KEY: { purpose: 'Pl@ntNet, my account, API key', rotation: 'replace', pattern: /^\S{8,}$/ },
} as const satisfies Readonly<Record<string, SecretKey>>;

export type SecretName = keyof typeof SECRET_KEYS;

export const SECRET_NAMES = Object.keys(SECRET_KEYS).filter(isSecretName);

export function isSecretName(name: string): name is SecretName {
  return Object.hasOwn(SECRET_KEYS, name);
}

/** Checks whether a value is a placeholder. */
export function isStandIn(value: string): boolean {
  return value.startsWith(STAND_IN);
}

export function secretKey(name: SecretName): SecretKey {
  return SECRET_KEYS[name];
}

/** Base64 of an Ed25519 private key in PKCS#8. */
function signingKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
}

/** Base64 of a private key of P-256 in PKCS#8. */
function pushKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
}
