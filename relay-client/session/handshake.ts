import {
  type Bytes,
  CIPHER_SUITE,
  type ClientAuth,
  type ClientHello,
  clientSignedText,
  confirmText,
  greetingsTranscript,
  handshakeSalt,
  handshakeTranscript,
  KEY_BYTES,
  NONCE_BYTES,
  PROTOCOL_VERSION,
  SESSION_ID_BYTES,
  type ServerHello,
  SIGNATURE_BYTES,
  serverSignedText,
  toBase64Url,
} from '@autowatering/relay-protocol';
import { agreedSecret, type EphemeralKey, isSignedBy, sha256 } from '../crypto/curves.ts';
import { decoded } from '../crypto/decoded.ts';
import { firstGeneration, type Generation } from '../crypto/key-schedule.ts';
import type { PeerKey } from '../crypto/peer-key.ts';
import { RelayError } from '../errors.ts';
import type { ServerKeys } from './server-keys.ts';

/** What only this end knows when a handshake begins. Fresh ones for every connection. */
export interface HandshakeSecrets {
  readonly nonce: Bytes;
  readonly ephemeral: EphemeralKey;
}

interface Peer {
  readonly peerId: string;
  readonly key: PeerKey;
}

export function clientHello({ peerId }: Peer, { nonce, ephemeral }: HandshakeSecrets, time: number): ClientHello {
  return {
    type: 'client_hello',
    version: PROTOCOL_VERSION,
    peer_id: peerId,
    client_nonce: toBase64Url(nonce),
    ephemeral_key: toBase64Url(ephemeral.publicKey),
    time,
    cipher_suites: [CIPHER_SUITE],
  };
}

/**
 * Answers `server_hello`, once the server has proven that it holds a key we trust.
 *
 * @param time as sent in `client_hello`
 * @throws RelayError `server_identity`, `bad_key` or `malformed`
 */
export async function clientAuth(
  { peerId, key }: Peer,
  { nonce, ephemeral }: HandshakeSecrets,
  time: number,
  hello: ServerHello,
  serverKeys: ServerKeys,
): Promise<{ readonly auth: ClientAuth; readonly sessionId: Bytes; readonly generation: Generation }> {
  const serverNonce = bytesOf(hello.server_nonce, NONCE_BYTES);
  const serverEphemeral = bytesOf(hello.ephemeral_key, KEY_BYTES);
  const sessionId = bytesOf(hello.session_id, SESSION_ID_BYTES);
  const serverSignature = bytesOf(hello.signature, SIGNATURE_BYTES);
  const text = greetingsTranscript({
    peerId,
    peerPublicKey: bytesOf(key.publicKey, KEY_BYTES),
    clientNonce: nonce,
    clientEphemeral: ephemeral.publicKey,
    clientTime: time,
    sessionId,
    serverNonce,
    serverEphemeral,
    serverKeyId: hello.server_key_id,
    serverTime: hello.time,
  });
  const serverKey = await serverKeys.find(hello.server_key_id);
  if (serverKey === undefined) throw new RelayError('server_identity', 'The server presented a key we do not know.');
  if (!(await isSignedBy(serverKey, serverSignature, serverSignedText(await sha256(text))))) {
    throw new RelayError('server_identity', 'The server did not prove that it holds its key.');
  }
  const transcript = await sha256(handshakeTranscript(text, serverSignature));
  const secret = await agreedSecret(ephemeral, serverEphemeral);
  const generation = await firstGeneration(secret, handshakeSalt(nonce, serverNonce), transcript);
  const signature = await key.sign(clientSignedText(transcript));
  const mac = await crypto.subtle.sign('HMAC', generation.confirm, confirmText(peerId, signature));
  return {
    auth: {
      type: 'client_auth',
      session_id: hello.session_id,
      signature: toBase64Url(signature),
      mac: toBase64Url(new Uint8Array(mac)),
    },
    sessionId,
    generation,
  };
}

function bytesOf(text: string, length: number): Bytes {
  const bytes = decoded(text, length);
  if (bytes === undefined) throw new RelayError('malformed', `Expected ${length} bytes as base64url.`);
  return bytes;
}
