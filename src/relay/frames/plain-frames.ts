import {
  type ClientAuth,
  KEY_BYTES,
  MAC_BYTES,
  NONCE_BYTES,
  SEAL_NONCE_BYTES,
  SESSION_ID_BYTES,
  type SealedFrame,
  SIGNATURE_BYTES,
} from '@autowatering/relay-protocol';
import * as z from 'zod';
import { bytesField, PeerIdField, Time } from './fields.ts';
import type { HelloFields } from './read-plain-frame.ts';

const HIGHEST_GENERATION = 0xffff_ffff;

/*
 * Not loaded by the function in Lambda, which reads frames by `read-plain-frame.ts`: for the protocol's document, and for
 * the test that holds the two equal.
 */

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
  readonly client_hello: z.ZodType<HelloFields>;
  readonly client_auth: z.ZodType<ClientAuth>;
  readonly sealed: z.ZodType<SealedFrame>;
};
