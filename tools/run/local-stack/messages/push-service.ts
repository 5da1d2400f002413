import { createECDH, createPublicKey, randomBytes, verify } from 'node:crypto';
import * as z from 'zod';
import type { Outbox } from './outbox.ts';
import { type BrowserKeys, decryptPush, PushDecryptionError } from './push-decryption.ts';

/** What a browser gives its page: the JSON of a `PushSubscription`. */
export interface LocalSubscription {
  readonly endpoint: string;
  /** Browsers always have it, and it is null in all that we know. */
  readonly expirationTime: null;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

interface Browser extends BrowserKeys {
  readonly name: string;
  readonly serverKey: string;
}

export interface PushAnswer {
  readonly status: number;
  readonly reason: string;
}

const Payload = z.looseObject({ title: z.string(), body: z.string() });
const Claims = z.object({ aud: z.string(), exp: z.number(), sub: z.string().regex(/^(mailto:|https:)/) });
const DAY_SECONDS = 24 * 60 * 60;

/** A browsers' push service with its browsers: it checks what real ones check, and reads what only browsers can. */
export class PushService {
  readonly #browsers = new Map<string, Browser>();
  readonly #outbox: Outbox;
  readonly #origin: () => string;
  readonly #now: () => number;

  constructor(outbox: Outbox, origin: () => string, now: () => number) {
    this.#outbox = outbox;
    this.#origin = origin;
    this.#now = now;
  }

  /** A browser that subscribes with the server's public key. */
  subscribe(name: string, serverKey: string): LocalSubscription {
    const ecdh = createECDH('prime256v1');
    const p256dh = ecdh.generateKeys();
    const auth = randomBytes(16);
    const id = randomBytes(16).toString('base64url');
    this.#browsers.set(id, { name, serverKey, ecdh, auth });
    return {
      endpoint: `${this.#origin()}/push/${id}`,
      expirationTime: null,
      keys: { p256dh: p256dh.toString('base64url'), auth: auth.toString('base64url') },
    };
  }

  /** Forgets a browser, as when its user clears its data: later pushes are answered 410. */
  forget({ endpoint }: LocalSubscription): void {
    this.#browsers.delete(endpoint.split('/').at(-1) ?? '');
  }

  take(id: string, header: (name: string) => string | undefined, body: Buffer): PushAnswer {
    const browser = this.#browsers.get(id);
    if (browser === undefined) return { status: 410, reason: 'this browser unsubscribed' };
    const fault = this.#faultOf(header, browser);
    if (fault !== undefined) return fault;
    try {
      const payload = Payload.parse(JSON.parse(decryptPush(body, browser).toString('utf8')));
      this.#outbox.add({
        ...{ channel: 'web_push', to: browser.name, title: payload.title, text: payload.body },
        details: { payload, ttl: header('ttl'), urgency: header('urgency'), topic: header('topic') },
      });
      return { status: 201, reason: 'shown' };
    } catch (error) {
      if (error instanceof PushDecryptionError) return { status: 400, reason: error.message };
      throw error;
    }
  }

  #faultOf(header: (name: string) => string | undefined, { serverKey }: Browser): PushAnswer | undefined {
    if (header('content-encoding') !== 'aes128gcm') return { status: 400, reason: 'the encoding is not aes128gcm' };
    if (!/^\d+$/.test(header('ttl') ?? '')) return { status: 400, reason: 'there is no TTL' };
    if (!/^[\w-]{1,32}$/.test(header('topic') ?? '-')) return { status: 400, reason: 'the topic is not one' };
    const [, token = '', key = ''] = /^vapid t=([^,]+), k=(.+)$/.exec(header('authorization') ?? '') ?? [];
    if (key !== serverKey) return { status: 403, reason: 'the key is not the one that was subscribed with' };
    return this.#isGood(token, key) ? undefined : { status: 403, reason: 'the token is not good' };
  }

  /** RFC 8292: an ES256 token for this origin, valid for a day at most. */
  #isGood(token: string, key: string): boolean {
    const [head = '', claims = '', signature = ''] = token.split('.');
    const point = Buffer.from(key, 'base64url');
    const jwk = {
      ...{ kty: 'EC', crv: 'P-256' },
      ...{ x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') },
    };
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    const read = Claims.safeParse(JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')));
    const now = this.#now() / 1000;
    return (
      isSigned &&
      read.success &&
      read.data.aud === this.#origin() &&
      read.data.exp > now &&
      read.data.exp <= now + DAY_SECONDS
    );
  }
}
