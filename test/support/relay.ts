import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  randomUUID,
  sign,
  verify,
} from 'node:crypto';
import {
  type ClientAuth,
  type ClientHello,
  clientSignedText,
  confirmText,
  type Direction,
  type Greetings,
  greetingsTranscript,
  handshakeSalt,
  handshakeTranscript,
  type KeyLabel,
  keyInfo,
  type PeerFrame,
  registrationText,
  rekeyTranscript,
  type SealedFrame,
  type ServerFrame,
  type ServerHello,
  sealedFrameAad,
  serverSignedText,
} from '@autowatering/relay-protocol';

/** One installation with its key. */
export interface PeerIdentity {
  readonly peerId: string;
  readonly privateKey: KeyObject;
  /** Base64url of 32 bytes. */
  readonly publicKey: string;
}

export function newPeerIdentity(peerId: string = randomUUID()): PeerIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { peerId, privateKey, publicKey: rawOf(publicKey).toString('base64url') };
}

/** The body's fields that show, when a peer is registered, that its key is at hand. */
export function registrationProof({ privateKey, publicKey }: PeerIdentity, uid: string, time: number) {
  const proof = sign(null, registrationText(uid, bytesOf(publicKey), time), privateKey).toString('base64url');
  return { public_key: publicKey, time, proof };
}

/** The assertion of `POST /relay/token`. */
export function peerAssertion(peer: PeerIdentity, audience: string, now: number, claims: Record<string, unknown> = {}) {
  const seconds = Math.floor(now / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = { iss: peer.peerId, sub: peer.peerId, aud: audience, exp: seconds + 60, jti: randomUUID(), ...claims };
  const text = `${part({ alg: 'EdDSA' })}.${part(body)}`;
  return `${text}.${sign(null, Buffer.from(text), peer.privateKey).toString('base64url')}`;
}

export interface PeerKeys {
  readonly th: Buffer;
  readonly c2s: Buffer;
  readonly s2c: Buffer;
  readonly confirm: Buffer;
  readonly rekey: Buffer;
}

export interface ClientChoices {
  readonly nonce?: Buffer;
  readonly ephemeral?: KeyObject;
}

/** A peer's half of the handshake and of the session behind it, written against the design and not against `src/`. */
export function startHandshake(peer: PeerIdentity, now: number, choices: ClientChoices = {}) {
  const nonce = choices.nonce ?? randomBytes(32);
  const ephemeral = choices.ephemeral ?? generateKeyPairSync('x25519').privateKey;
  const hello: ClientHello = {
    type: 'client_hello',
    version: 1,
    peer_id: peer.peerId,
    client_nonce: nonce.toString('base64url'),
    ephemeral_key: rawOf(createPublicKey(ephemeral)).toString('base64url'),
    time: now,
    cipher_suites: ['A256GCM'],
  };
  return {
    hello,
    /** @throws Error when the server's signature is not by `serverKey` */
    answer(server: ServerHello, serverKey: KeyObject): { readonly auth: ClientAuth; readonly session: PeerSession } {
      const said: Greetings = {
        peerId: peer.peerId,
        peerPublicKey: bytesOf(peer.publicKey),
        clientNonce: nonce,
        clientEphemeral: bytesOf(hello.ephemeral_key),
        clientTime: now,
        sessionId: bytesOf(server.session_id),
        serverNonce: bytesOf(server.server_nonce),
        serverEphemeral: bytesOf(server.ephemeral_key),
        serverKeyId: server.server_key_id,
        serverTime: server.time,
      };
      const t1 = greetingsTranscript(said);
      const signature = bytesOf(server.signature);
      if (!verify(null, serverSignedText(sha256(t1)), serverKey, signature)) throw new Error('not the server');
      const th = sha256(handshakeTranscript(t1, signature));
      const prk = hmac(handshakeSalt(nonce, said.serverNonce), shared(ephemeral, server.ephemeral_key));
      const keys = keysOf(prk, th);
      const own = sign(null, clientSignedText(th), peer.privateKey);
      const auth: ClientAuth = {
        type: 'client_auth',
        session_id: server.session_id,
        signature: own.toString('base64url'),
        mac: hmac(keys.confirm, confirmText(peer.peerId, own)).toString('base64url'),
      };
      return { auth, session: createPeerSession(server.session_id, keys) };
    },
  };
}

export type PeerSession = ReturnType<typeof createPeerSession>;

/** Seals and opens with every generation it has had; `rekey` is in two steps, as on the wire. */
export function createPeerSession(sessionId: string, first: PeerKeys) {
  const generations: PeerKeys[] = [first];
  const id = bytesOf(sessionId);
  const keysAt = (generation: number): PeerKeys => {
    const keys = generations[generation];
    if (keys === undefined) throw new Error(`There are no keys of generation ${generation}`);
    return keys;
  };
  const newest = () => generations.length - 1;
  return {
    sessionId,
    generations,
    /** The text of a sealed frame, with the newest keys unless told otherwise. */
    seal(frame: PeerFrame | Readonly<Record<string, unknown>> | string, generation: number = newest()): string {
      const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
      return JSON.stringify(sealText(keysAt(generation).c2s, 'c2s', id, generation, text, randomBytes(12)));
    },
    /** @throws Error when it was not sealed by the server for this session */
    open(message: string): ServerFrame {
      const sealed: SealedFrame = JSON.parse(message);
      return JSON.parse(openText(keysAt(sealed.g).s2c, 's2c', id, sealed));
    },
    /** A `rekey` frame, and what to do with its answer. */
    rekey(ephemeral: KeyObject = generateKeyPairSync('x25519').privateKey) {
      const publicKey = rawOf(createPublicKey(ephemeral)).toString('base64url');
      const from = keysAt(newest());
      return {
        frame: { type: 'rekey', ephemeral_key: publicKey } as const,
        finish(serverEphemeral: string): PeerKeys {
          const th = sha256(rekeyTranscript(from.th, bytesOf(publicKey), bytesOf(serverEphemeral)));
          const keys = keysOf(hmac(from.rekey, shared(ephemeral, serverEphemeral)), th);
          generations.push(keys);
          return keys;
        },
      };
    },
  };
}

export function sealText(
  key: Buffer,
  direction: Direction,
  sessionId: Buffer,
  generation: number,
  text: string,
  nonce: Buffer,
): SealedFrame {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(sealedFrameAad(direction, sessionId, generation));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return { g: generation, n: nonce.toString('base64url'), c: sealed.toString('base64url') };
}

export function openText(key: Buffer, direction: Direction, sessionId: Buffer, { g, n, c }: SealedFrame): string {
  const sealed = bytesOf(c);
  const decipher = createDecipheriv('aes-256-gcm', key, bytesOf(n));
  decipher.setAAD(sealedFrameAad(direction, sessionId, g));
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]).toString('utf8');
}

export function keysOf(prk: Buffer, th: Buffer): PeerKeys {
  const key = (label: KeyLabel) => hmac(prk, Buffer.concat([keyInfo(label, th), Buffer.from([1])]));
  return { th, c2s: key('c2s'), s2c: key('s2c'), confirm: key('confirm'), rekey: key('rekey') };
}

/** A private key from its 32 bytes. */
export function privateKeyFrom(curve: 'ed25519' | 'x25519', raw: string): KeyObject {
  const prefix = curve === 'ed25519' ? '302e020100300506032b657004220420' : '302e020100300506032b656e04220420';
  return createPrivateKey({
    key: Buffer.from(prefix + bytesOf(raw).toString('hex'), 'hex'),
    format: 'der',
    type: 'pkcs8',
  });
}

export function rawOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(-32);
}

function shared(privateKey: KeyObject, publicKey: string): Buffer {
  const der = Buffer.from(`302a300506032b656e032100${bytesOf(publicKey).toString('hex')}`, 'hex');
  return diffieHellman({ privateKey, publicKey: createPublicKey({ key: der, format: 'der', type: 'spki' }) });
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64url');
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function hmac(key: Uint8Array, text: Uint8Array): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
