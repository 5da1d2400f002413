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
import { isPeerId } from '../../platform/ids.ts';
import { exactFields, listOf, oneOf, type Shape, ShapeError, textThat, wholeNumber } from '../../platform/shapes.ts';
import { bytesText, count, matching } from './field-shapes.ts';
import { jsonFault } from './json-bounds.ts';

/** Another version or cipher suite can be read, so that the refusal can say so. */
export type HelloFields = Omit<ClientHello, 'version'> & { readonly version: number };

const HIGHEST_GENERATION = 0xffff_ffff;

const clientHello: Shape<HelloFields> = exactFields({
  type: oneOf(['client_hello']),
  version: wholeNumber(Number.MIN_SAFE_INTEGER),
  peer_id: textThat(isPeerId, 'the id of a peer'),
  client_nonce: bytesText(NONCE_BYTES),
  ephemeral_key: bytesText(KEY_BYTES),
  time: count,
  cipher_suites: listOf(
    textThat((name) => name.length >= 1 && name.length <= 40, 'the name of a cipher suite'),
    { atLeast: 1, atMost: 8 },
  ),
});

const clientAuth: Shape<ClientAuth> = exactFields({
  type: oneOf(['client_auth']),
  session_id: bytesText(SESSION_ID_BYTES),
  signature: bytesText(SIGNATURE_BYTES),
  mac: bytesText(MAC_BYTES),
});

const sealed: Shape<SealedFrame> = exactFields({
  g: wholeNumber(0, HIGHEST_GENERATION),
  n: bytesText(SEAL_NONCE_BYTES),
  c: matching(/^[\w-]{22,}$/, 'ciphertext'),
});

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

/** Reads a message from the connection: the frames of `plain-frames.ts`. */
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
  try {
    return ofType(value);
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    return { kind: 'malformed' };
  }
}

/** @throws ShapeError for a field that is missing, wrong or too many */
function ofType(value: object): PlainFrame {
  const type: unknown = 'type' in value ? value.type : undefined;
  if (type === undefined && 'c' in value) return { kind: 'sealed', frame: sealed(value) };
  if (type === 'client_hello') return { kind: 'client_hello', frame: clientHello(value) };
  if (type === 'client_auth') return { kind: 'client_auth', frame: clientAuth(value) };
  return { kind: 'unknown' };
}
