import { type Bytes, KEY_BYTES } from '@autowatering/relay-protocol';
import { decoded } from '../crypto/decoded.ts';
import { isRecord } from '../frames/record.ts';
import { type Fetch, getJson } from '../tokens/http.ts';

/** The keys by which the server may prove who it is. */
export interface ServerKeys {
  /** The key of this id, if it is trusted. */
  find(keyId: string): Promise<Bytes | undefined>;
  /** The server has proven that it holds this key. */
  confirmed(keyId: string): Promise<void>;
}

/** Public keys (base64url of 32 bytes) by their id. */
export type PinnedKeys = Readonly<Record<string, string>>;

/** Where pinned keys are kept. */
export interface PinStore {
  load(): Promise<PinnedKeys | undefined>;
  save(keys: PinnedKeys): Promise<void>;
}

export function memoryPins(pins?: PinnedKeys): PinStore {
  let kept = pins;
  return {
    load: async () => kept,
    async save(keys) {
      kept = keys;
    },
  };
}

/** Exactly these keys, for good. */
export function givenServerKeys(keys: PinnedKeys): ServerKeys {
  return { find: async (keyId) => keyIn(keys, keyId), confirmed: async () => {} };
}

/**
 * The keys that the API published when this peer saw it first. Keys published later are accepted only beside one that
 * the server has just proven to hold, as while a key is replaced by the next.
 *
 * @param apiUrl where `/.well-known/jwks.json` is
 */
export function pinnedServerKeys(apiUrl: string, store: PinStore, fetch: Fetch): ServerKeys {
  let seen: Promise<void> | undefined;
  const published = async () => keysOf(await getJson(fetch, `${apiUrl.replace(/\/+$/, '')}/.well-known/jwks.json`));
  return {
    async find(keyId) {
      const pinned = await store.load();
      if (pinned !== undefined) return keyIn(pinned, keyId);
      const first = await published();
      if (Object.keys(first).length > 0) await store.save(first);
      return keyIn(first, keyId);
    },
    confirmed(keyId) {
      seen ??= (async () => {
        const [pinned = {}, now] = [await store.load(), await published()];
        const proven = keyIn(pinned, keyId);
        if (proven !== undefined && now[keyId] === pinned[keyId])
          await store.save({ ...now, [keyId]: pinned[keyId] ?? '' });
      })().catch(() => {
        // Without an answer the known keys stay; the next connection asks again.
        seen = undefined;
      });
      return seen;
    },
  };
}

function keyIn(keys: PinnedKeys, keyId: string): Bytes | undefined {
  const key = Object.hasOwn(keys, keyId) ? keys[keyId] : undefined;
  return key === undefined ? undefined : decoded(key, KEY_BYTES);
}

function keysOf(answer: unknown): PinnedKeys {
  const keys = isRecord(answer) && Array.isArray(answer['keys']) ? answer['keys'] : [];
  return Object.fromEntries(
    keys.flatMap((key: unknown) => {
      if (!isRecord(key) || key['crv'] !== 'Ed25519') return [];
      const { kid, x } = key;
      return typeof kid === 'string' && typeof x === 'string' ? [[kid, x]] : [];
    }),
  );
}
