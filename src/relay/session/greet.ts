import {
  CIPHER_SUITE,
  fromBase64Url,
  MAX_CLOCK_SKEW_MS,
  NONCE_BYTES,
  PROTOCOL_VERSION,
  SESSION_ID_BYTES,
  type ServerHello,
} from '@autowatering/relay-protocol';
import type { Services } from '../../platform/services.ts';
import type { HelloFields } from '../frames/read-plain-frame.ts';
import { isPeerId } from '../names.ts';
import type { Endings, Stores } from './ending.ts';
import type { RefusalCode } from './handshake-table.ts';
import { createEphemeralKey, handshakeKeys, sharedSecret, signGreetings } from './keys/key-schedule.ts';
import { wrapGeneration } from './keys/session-keys.ts';
import type { SessionNeeds } from './needs.ts';
import { sendPlain } from './send.ts';
import type { ConnectionRecord } from './store/connection-record.ts';

type Needed = Pick<Services, 'clock' | 'randomness'>;

/**
 * The server's half of the greetings. The session's keys are derived here, so that the private half of the ephemeral key
 * never leaves this call; they are worth nothing until the peer has confirmed them.
 */
export function createGreet(
  { clock, randomness }: Needed,
  needs: SessionNeeds,
  { connections, keyWrap }: Pick<Stores, 'connections' | 'keyWrap'>,
  endings: Endings,
) {
  const answer = async (record: ConnectionRecord, hello: HelloFields): Promise<ServerHello | RefusalCode> => {
    const now = clock.now();
    if (hello.version !== PROTOCOL_VERSION || !hello.cipher_suites.includes(CIPHER_SUITE)) return 'unsupported';
    if (Math.abs(hello.time - now) > MAX_CLOCK_SKEW_MS) return 'clock_skew';
    const { peer_id: peerId } = hello;
    const { connectionId, uid, tokenPeerId } = record;
    if (!isPeerId(peerId) || (tokenPeerId !== undefined && tokenPeerId !== peerId)) return 'unknown_peer';
    const [peer, isDeleted, identity] = await Promise.all([
      needs.peers.read(uid, peerId),
      needs.isAccountDeleted(uid),
      needs.identity.signing(),
    ]);
    if (peer?.status !== 'active' || isDeleted) return 'unknown_peer';

    const ephemeral = createEphemeralKey();
    const clientEphemeral = bytes(hello.ephemeral_key);
    const secret = sharedSecret(ephemeral.privateKey, clientEphemeral);
    if (secret === undefined) return 'bad_key';
    const said = {
      peerId,
      peerPublicKey: bytes(peer.publicKey),
      clientNonce: bytes(hello.client_nonce),
      clientEphemeral,
      clientTime: hello.time,
      sessionId: randomness.bytes(SESSION_ID_BYTES),
      serverNonce: randomness.bytes(NONCE_BYTES),
      serverEphemeral: ephemeral.publicKey,
      serverKeyId: identity.keyId,
      serverTime: now,
    };
    const { signature, th } = signGreetings(said, identity.privateKey);
    const sessionId = said.sessionId.toString('base64url');
    const { keys } = await wrapGeneration(keyWrap, connectionId, 0, handshakeKeys(said, th, secret));
    const greeting = { peerId, clientNonce: hello.client_nonce, sessionId, th, wrappedKeys: keys };
    const outcome = await connections.greet(record, greeting, now);
    if (outcome !== 'greeted') return outcome;
    return {
      type: 'server_hello',
      version: PROTOCOL_VERSION,
      session_id: sessionId,
      server_nonce: said.serverNonce.toString('base64url'),
      ephemeral_key: ephemeral.publicKey.toString('base64url'),
      cipher_suite: CIPHER_SUITE,
      server_key_id: identity.keyId,
      time: now,
      signature: signature.toString('base64url'),
    };
  };

  return async (record: ConnectionRecord, hello: HelloFields): Promise<void> => {
    const answered = await answer(record, hello);
    if (typeof answered !== 'string') {
      await sendPlain(needs.connections, record.connectionId, answered);
      return;
    }
    await endings.refuse(record.connectionId, answered, answered === 'clock_skew' ? { time: clock.now() } : {});
  };
}

/** For fields whose form was checked when they were read. */
function bytes(text: string): Uint8Array {
  const decoded = fromBase64Url(text);
  if (decoded === undefined) throw new Error('A checked field holds no base64url');
  return decoded;
}
