import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { agreedSecret, type EphemeralKey } from '../../../relay-client/crypto/curves.ts';
import { firstGeneration, nextGeneration } from '../../../relay-client/crypto/key-schedule.ts';
import { peerKeyOf, registrationProof } from '../../../relay-client/crypto/peer-key.ts';
import { open, seal } from '../../../relay-client/crypto/sealing.ts';
import { clientAuth, clientHello } from '../../../relay-client/session/handshake.ts';
import { givenServerKeys } from '../../../relay-client/session/server-keys.ts';
import type { RelayVectors } from '../../support/relay-vectors.ts';

const { vectors, x25519_keys_to_refuse }: RelayVectors = JSON.parse(
  readFileSync('test/fixtures/relay/vectors.json', 'utf8'),
);
const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
const hex = (key: Uint8Array) => Buffer.from(key).toString('hex');
const { subtle } = crypto;

async function ephemeral(privateRaw: string, publicRaw: string): Promise<EphemeralKey> {
  const prefix = Buffer.from('302e020100300506032b656e04220420', 'hex');
  const pkcs8 = Buffer.concat([prefix, bytes(privateRaw)]);
  return {
    privateKey: await subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits']),
    publicKey: bytes(publicRaw),
  };
}

async function peer({ peer_id, peer_private_key, peer_public_key }: RelayVectors['vectors'][number]['inputs']) {
  const prefix = Buffer.from('302e020100300506032b657004220420', 'hex');
  const pkcs8 = Buffer.concat([prefix, bytes(peer_private_key)]);
  const privateKey = await subtle.importKey('pkcs8', pkcs8, 'Ed25519', false, ['sign']);
  const publicKey = await subtle.importKey('raw', bytes(peer_public_key), 'Ed25519', true, ['verify']);
  return { peerId: peer_id, key: await peerKeyOf({ privateKey, publicKey }) };
}

describe.each(vectors)('the vectors of $inputs.uid', ({ inputs, frames, intermediate, registration, rekey }) => {
  const shake = async (serverKey = inputs.server_public_key) => {
    const secrets = {
      nonce: bytes(inputs.client_nonce),
      ephemeral: await ephemeral(inputs.client_ephemeral_private, frames.client_hello.ephemeral_key),
    };
    const self = await peer(inputs);
    const hello = clientHello(self, secrets, inputs.client_time);
    const keys = givenServerKeys({ [inputs.server_key_id]: serverKey });
    return { hello, ...(await clientAuth(self, secrets, inputs.client_time, frames.server_hello, keys)) };
  };

  it('give the frames and keys of the handshake', async () => {
    const { hello, auth, sessionId, generation } = await shake();
    expect(hello).toEqual(frames.client_hello);
    expect(auth).toEqual(frames.client_auth);
    expect(hex(sessionId)).toBe(hex(bytes(inputs.session_id)));
    expect(hex(generation.transcript)).toBe(intermediate.th);
    expect(hex(generation.rekey)).toBe(intermediate.keys.rekey);
  });

  it('give the sealed frames, and open them', async () => {
    const { sessionId, generation } = await shake();
    const { sealed_from_client: ours, sealed_from_server: theirs } = frames;
    expect(await seal(generation.send, sessionId, 0, ours.plaintext, bytes(ours.nonce))).toEqual(ours.frame);
    expect(await open(generation.receive, sessionId, theirs.frame)).toBe(theirs.plaintext);
    const flipped = { ...theirs.frame, c: `${theirs.frame.c[0] === 'A' ? 'B' : 'A'}${theirs.frame.c.slice(1)}` };
    expect(await open(generation.receive, sessionId, flipped)).toBeUndefined();
    expect(await open(generation.receive, sessionId, { ...theirs.frame, g: 1 })).toBeUndefined();
  });

  it('give the keys after rekeying', async () => {
    const { sessionId, generation } = await shake();
    const own = await ephemeral(rekey.client_ephemeral_private, rekey.client_ephemeral);
    const next = await nextGeneration(generation, own, bytes(rekey.server_ephemeral));
    expect(hex(next.transcript)).toBe(rekey.th);
    expect(hex(next.rekey)).toBe(rekey.keys.rekey);
    const { plaintext, nonce, frame } = rekey.sealed_from_client;
    expect(await seal(next.send, sessionId, 1, plaintext, bytes(nonce))).toEqual(frame);
  });

  it('give the proof of the registration', async () => {
    const { key } = await peer(inputs);
    expect(await registrationProof(key, inputs.uid, registration.time)).toBe(registration.proof);
  });

  it('are refused when the server signed with another key', async () => {
    await expect(shake(inputs.peer_public_key)).rejects.toMatchObject({ code: 'server_identity' });
  });
});

it('keys of low order are refused', async () => {
  const [vector] = vectors;
  const own = await ephemeral(
    vector?.inputs.client_ephemeral_private ?? '',
    vector?.frames.client_hello.ephemeral_key ?? '',
  );
  expect(x25519_keys_to_refuse.length).toBeGreaterThan(5);
  for (const key of x25519_keys_to_refuse) {
    await expect(agreedSecret(own, bytes(key))).rejects.toMatchObject({ code: 'bad_key' });
  }
});

it('the keys of a generation can’t be read, but for what the next one is made from', async () => {
  const generation = await firstGeneration(new Uint8Array(32).fill(1), new Uint8Array(64), new Uint8Array(32));
  for (const key of [generation.send, generation.receive, generation.confirm]) {
    await expect(subtle.exportKey('raw', key)).rejects.toThrow();
  }
});
