import http from 'node:http';
import https from 'node:https';
import type { Clock } from '../../clock.ts';
import type { Randomness } from '../../ids.ts';
import type { Log } from '../../observability/log.ts';
import { TimeLimitError } from '../../resilience/time-limit.ts';
import { outcomeOf, type SendOutcome } from '../outcome.ts';
import { encryptPush, type PushKeys } from './encryption.ts';
import { isPushAddress } from './push-hosts.ts';
import { type VapidKey, vapidAuthorization } from './vapid.ts';

export interface PushSubscription extends PushKeys {
  /** Where the browser's push service takes messages for it. */
  readonly address: string;
}

export interface PushMessage {
  readonly payload: string;
  /** How long the push service keeps it for a browser that is not reachable, in seconds. */
  readonly ttlSeconds: number;
  readonly urgency: 'low' | 'normal' | 'high';
  /** Replaces an undelivered message of the same topic: 1 to 32 characters of base64url. */
  readonly topic: string;
}

export interface WebPush {
  /** Never throws for what the other side does. */
  send(subscription: PushSubscription, key: VapidKey, message: PushMessage): Promise<SendOutcome>;
}

export interface WebPushOptions {
  readonly contact: string;
  readonly extraOrigins: readonly string[];
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, 'bytes'>;
  readonly log: Pick<Log, 'warn'>;
}

/** Messages of one length look the same to the push service. */
const PADDED_BYTES = 2560;
const GONE: ReadonlySet<number> = new Set([404, 410]);

/** Sends pushes by RFC 8030, encrypted for the browser (RFC 8291), under this server's key (RFC 8292). */
export function createWebPush(options: WebPushOptions): WebPush {
  const { contact, extraOrigins, timeoutMs, clock, randomness, log } = options;
  return {
    async send(subscription, key, { payload, ttlSeconds, urgency, topic }) {
      const { address } = subscription;
      // Checked when it was stored too; the list may have become shorter since.
      if (!isPushAddress(address, extraOrigins)) return 'gone';
      const url = new URL(address);
      const entropy = { salt: randomness.bytes(16), privateKey: randomness.bytes(32) };
      let body: Buffer;
      try {
        body = encryptPush(Buffer.from(payload), subscription, entropy, PADDED_BYTES);
      } catch (error) {
        log.warn('A push could not be encrypted', { host: url.host }, error);
        return 'refused';
      }
      const headers = {
        'Content-Type': 'application/octet-stream',
        'Content-Encoding': 'aes128gcm',
        'Content-Length': String(body.length),
        TTL: String(ttlSeconds),
        Urgency: urgency,
        Topic: topic,
        Authorization: vapidAuthorization(key, { origin: url.origin, contact, now: clock.now() }),
      };
      try {
        const status = await post(url, headers, body, timeoutMs);
        return GONE.has(status) ? 'gone' : outcomeOf(status);
      } catch (error) {
        // The host only: the rest of the address lets anybody send to this browser.
        log.warn('A push service did not answer', { host: url.host }, error);
        return 'later';
      }
    },
  };
}

/** Returns the answer's status; redirects are not followed, and the answer's body is not read. */
function post(url: URL, headers: http.OutgoingHttpHeaders, body: Buffer, timeoutMs: number): Promise<number> {
  const { request } = url.protocol === 'http:' ? http : https;
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers });
    const timer = setTimeout(() => sent.destroy(new TimeLimitError(`no answer within ${timeoutMs} ms`)), timeoutMs);
    sent.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    sent.on('response', (answer) => {
      clearTimeout(timer);
      answer.on('error', () => {});
      answer.destroy();
      resolve(answer.statusCode ?? 0);
    });
    sent.end(body);
  });
}
