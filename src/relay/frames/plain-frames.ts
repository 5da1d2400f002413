import {
  type ClientAuth,
  type ClientHello,
  KEY_BYTES,
  MAC_BYTES,
  MAX_FRAME_BYTES,
  NONCE_BYTES,
  SEAL_NONCE_BYTES,
  SESSION_ID_BYTES,
  type SealedFrame,
  SIGNATURE_BYTES,
} from '@autowatering/relay-protocol';
import * as z from 'zod';
import { bytesField, PeerIdField, Time } from './fields.ts';
import { jsonFault } from './json-bounds.ts';

const HIGHEST_GENERATION = 0xffff_ffff;

/** What a peer sends outside the sealing: the handshake and the sealed frames themselves. */
export const PLAIN_FRAMES = {
  client_hello: z
    .strictObject({
      type: z.literal('client_hello'),
      // Another version or cipher suite can be read, so that the refusal can say so.
      version: z.number().int().describe('1'),
      peer_id: PeerIdField,
      client_nonce: bytesField(NONCE_BYTES),
      ephemeral_key: bytesField(KEY_BYTES),
      time: Time,
      cipher_suites: z.array(z.string().min(1).max(40)).min(1).max(8).describe('A256GCM must be one of them'),
    })
    .describe('Begins the handshake'),
  client_auth: z
    .strictObject({
      type: z.literal('client_auth'),
      session_id: bytesField(SESSION_ID_BYTES),
      signature: bytesField(SIGNATURE_BYTES),
      mac: bytesField(MAC_BYTES),
    })
    .describe('Proves who the peer is and that it knows the keys'),
  sealed: z
    .strictObject({
      g: z.number().int().min(0).max(HIGHEST_GENERATION).describe('Generation of the keys, from 0'),
      n: bytesField(SEAL_NONCE_BYTES),
      c: z
        .string()
        .regex(/^[\w-]{22,}$/)
        .describe('Ciphertext and tag as base64url without padding'),
    })
    .describe('Every frame after the handshake, encrypted'),
} as const satisfies {
  readonly client_hello: z.ZodType<Omit<ClientHello, 'version'> & { readonly version: number }>;
  readonly client_auth: z.ZodType<ClientAuth>;
  readonly sealed: z.ZodType<SealedFrame>;
};

export type HelloFields = z.output<typeof PLAIN_FRAMES.client_hello>;

/** What a message is, as far as that shows without keys. */
export type PlainFrame =
  | { readonly kind: 'client_hello'; readonly frame: HelloFields }
  | { readonly kind: 'client_auth'; readonly frame: ClientAuth }
  | { readonly kind: 'sealed'; readonly frame: SealedFrame }
  /** One of these, but with a field that is missing, wrong, too many or of the wrong length. */
  | { readonly kind: 'malformed' }
  /** An object of another type. */
  | { readonly kind: 'unknown' }
  /** No JSON object at all. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'too_large' };
export type FrameKind = PlainFrame['kind'];

/** Reads a message from the connection. */
export function readPlainFrame(text: string): PlainFrame {
  if (Buffer.byteLength(text) > MAX_FRAME_BYTES) return { kind: 'too_large' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { kind: 'unreadable' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { kind: 'unreadable' };
  if (jsonFault(value) !== undefined) return { kind: 'unreadable' };
  const type: unknown = 'type' in value ? value.type : undefined;
  if (type === undefined && 'c' in value) return sealed(value);
  if (type === 'client_hello') return hello(value);
  if (type === 'client_auth') return auth(value);
  return { kind: 'unknown' };
}

function sealed(value: object): PlainFrame {
  const read = PLAIN_FRAMES.sealed.safeParse(value);
  return read.success ? { kind: 'sealed', frame: read.data } : { kind: 'malformed' };
}

function hello(value: object): PlainFrame {
  const read = PLAIN_FRAMES.client_hello.safeParse(value);
  return read.success ? { kind: 'client_hello', frame: read.data } : { kind: 'malformed' };
}

function auth(value: object): PlainFrame {
  const read = PLAIN_FRAMES.client_auth.safeParse(value);
  return read.success ? { kind: 'client_auth', frame: read.data } : { kind: 'malformed' };
}
