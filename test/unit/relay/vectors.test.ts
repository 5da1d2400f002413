import { createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { greetingsTranscript, isLowOrderKey, LOW_ORDER_KEYS, registrationText } from '@autowatering/relay-protocol';
import { describe, expect, it } from 'vitest';
import {
  createEphemeralKey,
  handshakeKeys,
  isConfirmed,
  nextKeys,
  privateKeyOf,
  rawPublicKey,
  sharedSecret,
  signGreetings,
} from '../../../src/relay/session/keys/key-schedule.ts';
import { open, seal } from '../../../src/relay/session/keys/sealing.ts';
import { createPeerSession, type PeerIdentity, privateKeyFrom, sealText, startHandshake } from '../../support/relay.ts';

const bytes = (text: string) => Buffer.from(text, 'base64url');
const { vectors, x25519_keys_to_refuse: refused } = read();
const KEYS = ['c2s', 's2c', 'confirm', 'rekey'] as const;

describe.each(vectors.map((vector, index) => ({ vector, number: index + 1 })))('vector $number', ({ vector }) => {
  const { inputs, frames, intermediate, registration, rekey } = vector;
  const said = {
    peerId: inputs.peer_id,
    peerPublicKey: bytes(inputs.peer_public_key),
    clientNonce: bytes(inputs.client_nonce),
    clientEphemeral: bytes(frames.client_hello.ephemeral_key),
    clientTime: inputs.client_time,
    sessionId: bytes(inputs.session_id),
    serverNonce: bytes(inputs.server_nonce),
    serverEphemeral: bytes(frames.server_hello.ephemeral_key),
    serverKeyId: inputs.server_key_id,
    serverTime: inputs.server_time,
  };
  const peer: PeerIdentity = {
    peerId: inputs.peer_id,
    privateKey: privateKeyFrom('ed25519', inputs.peer_private_key),
    publicKey: inputs.peer_public_key,
  };
  const serverIdentity = privateKeyOf('ed25519', bytes(inputs.server_private_key));
  const serverEphemeral = privateKeyOf('x25519', bytes(inputs.server_ephemeral_private));
  const clientEphemeral = privateKeyFrom('x25519', inputs.client_ephemeral_private);

  const serverSide = () => {
    const { signature, th } = signGreetings(said, serverIdentity);
    const secret = sharedSecret(serverEphemeral, said.clientEphemeral);
    if (secret === undefined) throw new Error('no shared secret');
    return { signature, secret, keys: handshakeKeys(said, th, secret) };
  };
  const clientSide = () => {
    const started = startHandshake(peer, inputs.client_time, { nonce: said.clientNonce, ephemeral: clientEphemeral });
    return { hello: started.hello, ...started.answer(frames.server_hello, createPublicKey(serverIdentity)) };
  };

  it('has the same keys, transcript and signatures on the server', () => {
    expect(rawPublicKey(createPublicKey(serverEphemeral)).toString('base64url')).toBe(
      frames.server_hello.ephemeral_key,
    );
    expect(Buffer.from(greetingsTranscript(said)).toString('hex')).toBe(intermediate.T1_hex);
    const { signature, secret, keys } = serverSide();
    expect(signature.toString('base64url')).toBe(frames.server_hello.signature);
    expect(secret.toString('hex')).toBe(intermediate.shared_secret);
    expect(keys.th.toString('hex')).toBe(intermediate.th);
    for (const label of KEYS) expect(keys[label].toString('hex')).toBe(intermediate.keys[label]);
  });

  it('has the same frames and keys on the client', () => {
    const { hello, auth, session } = clientSide();
    expect(hello).toEqual(frames.client_hello);
    expect(auth).toEqual(frames.client_auth);
    for (const label of KEYS) expect(session.generations[0]?.[label].toString('hex')).toBe(intermediate.keys[label]);
  });

  it('is confirmed by its client_auth and by no other', () => {
    const { keys } = serverSide();
    const [signature, mac] = [bytes(frames.client_auth.signature), bytes(frames.client_auth.mac)];
    const who = { peerId: inputs.peer_id, publicKey: bytes(inputs.peer_public_key) };
    const flipped = (from: Buffer, at: number) => from.map((byte, index) => (index === at ? byte ^ 1 : byte));
    expect(isConfirmed(who, keys, { signature, mac })).toBe(true);
    expect(isConfirmed(who, keys, { signature, mac: flipped(mac, 31) })).toBe(false);
    expect(isConfirmed(who, keys, { signature: flipped(signature, 0), mac })).toBe(false);
    expect(isConfirmed({ ...who, publicKey: bytes(inputs.server_public_key) }, keys, { signature, mac })).toBe(false);
  });

  it('has the same sealed frames, each opened by the other side only', () => {
    const { keys } = serverSide();
    const { sealed_from_server: fromServer, sealed_from_client: fromClient } = frames;
    expect(seal(keys.s2c, 's2c', said.sessionId, 0, fromServer.plaintext, bytes(fromServer.nonce))).toEqual(
      fromServer.frame,
    );
    expect(open(keys.c2s, 'c2s', said.sessionId, fromClient.frame)).toBe(fromClient.plaintext);
    expect(open(keys.c2s, 's2c', said.sessionId, fromClient.frame)).toBeUndefined();
    expect(open(keys.s2c, 'c2s', said.sessionId, fromClient.frame)).toBeUndefined();
    expect(open(keys.c2s, 'c2s', said.sessionId, { ...fromClient.frame, g: 1 })).toBeUndefined();
    const { session } = clientSide();
    expect(session.open(JSON.stringify(fromServer.frame))).toEqual(JSON.parse(fromServer.plaintext));
    const client = intermediate.keys.c2s;
    expect(
      sealText(Buffer.from(client, 'hex'), 'c2s', said.sessionId, 0, fromClient.plaintext, bytes(fromClient.nonce)),
    ).toEqual(fromClient.frame);
  });

  it('rekeys to the same keys on both sides', () => {
    const { keys } = serverSide();
    const secret = sharedSecret(
      privateKeyOf('x25519', bytes(rekey.server_ephemeral_private)),
      bytes(rekey.client_ephemeral),
    );
    if (secret === undefined) throw new Error('no shared secret');
    const next = nextKeys(keys, bytes(rekey.client_ephemeral), bytes(rekey.server_ephemeral), secret);
    expect(next.th.toString('hex')).toBe(rekey.th);
    for (const label of KEYS) expect(next[label].toString('hex')).toBe(rekey.keys[label]);
    const { plaintext, frame } = rekey.sealed_from_client;
    expect(open(next.c2s, 'c2s', said.sessionId, frame)).toBe(plaintext);

    const session = createPeerSession(inputs.session_id, keys);
    const asked = session.rekey(privateKeyFrom('x25519', rekey.client_ephemeral_private));
    expect(asked.frame.ephemeral_key).toBe(rekey.client_ephemeral);
    const clients = asked.finish(rekey.server_ephemeral);
    for (const label of KEYS) expect(clients[label].toString('hex')).toBe(rekey.keys[label]);
  });

  it('has the same proof of a registration', () => {
    const text = registrationText(inputs.uid, bytes(inputs.peer_public_key), registration.time);
    expect(sign(null, text, peer.privateKey).toString('base64url')).toBe(registration.proof);
  });
});

describe('X25519 keys to refuse', () => {
  it('are the ones of the vectors', () => {
    expect([...LOW_ORDER_KEYS]).toEqual(refused);
  });

  it.each(refused)('include %s, with and without its highest bit', (text) => {
    const { privateKey } = createEphemeralKey();
    const highest = bytes(text).map((byte, index) => (index === 31 ? byte | 0x80 : byte));
    for (const key of [bytes(text), highest]) {
      expect(isLowOrderKey(key)).toBe(true);
      expect(sharedSecret(privateKey, key)).toBeUndefined();
    }
  });

  it('include no good key, and every wrong length', () => {
    const { privateKey, publicKey } = createEphemeralKey();
    expect(isLowOrderKey(publicKey)).toBe(false);
    expect(sharedSecret(privateKey, publicKey)?.byteLength).toBe(32);
    for (const length of [0, 31, 33]) expect(sharedSecret(privateKey, Buffer.alloc(length, 9))).toBeUndefined();
  });
});

interface Sealed {
  readonly plaintext: string;
  readonly nonce: string;
  readonly frame: { readonly g: number; readonly n: string; readonly c: string };
}
type Hex = Readonly<Record<(typeof KEYS)[number], string>>;

function read(): {
  readonly x25519_keys_to_refuse: readonly string[];
  readonly vectors: readonly {
    readonly inputs: Readonly<Record<InputText, string>> & {
      readonly client_time: number;
      readonly server_time: number;
    };
    readonly frames: {
      readonly client_hello: { readonly ephemeral_key: string };
      readonly server_hello: Parameters<ReturnType<typeof startHandshake>['answer']>[0];
      readonly client_auth: { readonly signature: string; readonly mac: string };
      readonly sealed_from_server: Sealed;
      readonly sealed_from_client: Sealed;
    };
    readonly intermediate: Readonly<Record<'T1_hex' | 'th' | 'shared_secret', string>> & { readonly keys: Hex };
    readonly registration: { readonly time: number; readonly proof: string };
    readonly rekey: Readonly<
      Record<
        'client_ephemeral' | 'server_ephemeral' | 'client_ephemeral_private' | 'server_ephemeral_private' | 'th',
        string
      >
    > & { readonly keys: Hex; readonly sealed_from_client: Sealed };
  }[];
} {
  return JSON.parse(readFileSync('test/fixtures/relay/vectors.json', 'utf8'));
}

type InputText =
  | 'peer_id'
  | 'uid'
  | 'peer_private_key'
  | 'peer_public_key'
  | 'server_private_key'
  | 'server_public_key'
  | 'server_key_id'
  | 'client_ephemeral_private'
  | 'server_ephemeral_private'
  | 'client_nonce'
  | 'server_nonce'
  | 'session_id';
