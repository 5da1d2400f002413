import {
  CIPHER_SUITE,
  type ClientAuth,
  type ClientHello,
  KEY_BYTES,
  NONCE_BYTES,
  PROTOCOL_VERSION,
  SESSION_ID_BYTES,
  type ServerHello,
  SIGNATURE_BYTES,
} from '@autowatering/relay-protocol';
import { type Bytes, concat, fromBase64Url, lp, toBase64Url } from '../crypto/bytes.ts';
import { agreedSecret, type EphemeralKey, isSignedBy, sha256 } from '../crypto/curves.ts';
import { firstGeneration, type Generation } from '../crypto/key-schedule.ts';
import type { PeerKey } from '../crypto/peer-key.ts';
import { confirmation, hellosText, labelled } from '../crypto/transcript.ts';
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
 * @param time as told in `client_hello`
 * @throws RelayError `server_identity`, `bad_key` or `malformed`
 */
export async function clientAuth(
  { peerId, key }: Peer,
  { nonce, ephemeral }: HandshakeSecrets,
  time: number,
  hello: ServerHello,
  serverKeys: ServerKeys,
): Promise<{ readonly auth: ClientAuth; readonly sessionId: Bytes; readonly generation: Generation }> {
  const serverNonce = decoded(hello.server_nonce, NONCE_BYTES);
  const serverEphemeral = decoded(hello.ephemeral_key, KEY_BYTES);
  const sessionId = decoded(hello.session_id, SESSION_ID_BYTES);
  const serverSignature = decoded(hello.signature, SIGNATURE_BYTES);
  const text = hellosText({
    peerId,
    peerKey: decoded(key.publicKey, KEY_BYTES),
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
  if (!(await isSignedBy(serverKey, serverSignature, labelled('server', await sha256(text))))) {
    throw new RelayError('server_identity', 'The server did not prove that it holds its key.');
  }
  const transcript = await sha256(concat(text, lp(serverSignature)));
  const secret = await agreedSecret(ephemeral, serverEphemeral);
  const generation = await firstGeneration(secret, concat(nonce, serverNonce), transcript);
  const signature = await key.sign(labelled('client', transcript));
  const mac = await crypto.subtle.sign('HMAC', generation.confirm, confirmation(peerId, signature));
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

function decoded(text: string, length: number): Bytes {
  const bytes = fromBase64Url(text, length);
  if (bytes === undefined) throw new RelayError('malformed', `Expected ${length} bytes as base64url.`);
  return bytes;
}
