import { type Bytes, concat, lp, u32, u64, utf8 } from './bytes.ts';
import { CIPHER_SUITE, PROTOCOL } from './limits.ts';

/** Who sealed a frame: the client for the server, or the server for the client. */
export type Direction = 'c2s' | 's2c';
/** What a derived key is for. `rekey` is the salt of the next generation. */
export type KeyLabel = Direction | 'confirm' | 'rekey';

/** What both sides have said before the server signs. Keys, nonces and ids as bytes; times in milliseconds since 1970. */
export interface Greetings {
  readonly peerId: string;
  readonly peerPublicKey: Uint8Array;
  readonly clientNonce: Uint8Array;
  readonly clientEphemeral: Uint8Array;
  readonly clientTime: number;
  readonly sessionId: Uint8Array;
  readonly serverNonce: Uint8Array;
  readonly serverEphemeral: Uint8Array;
  readonly serverKeyId: string;
  readonly serverTime: number;
}

const ZERO = Uint8Array.of(0);
/** Texts of different purposes begin differently, so that a signature for one is never good for another. */
const purpose = (name: string) => concat(utf8(`${PROTOCOL} ${name}`), ZERO);

/** T1: everything that the two sides have said. */
export function greetingsTranscript(said: Greetings): Bytes {
  return concat(
    lp(utf8(PROTOCOL)),
    lp(utf8(CIPHER_SUITE)),
    lp(utf8(said.peerId)),
    lp(said.peerPublicKey),
    lp(said.clientNonce),
    lp(said.clientEphemeral),
    lp(u64(said.clientTime)),
    lp(said.sessionId),
    lp(said.serverNonce),
    lp(said.serverEphemeral),
    lp(utf8(said.serverKeyId)),
    lp(u64(said.serverTime)),
  );
}

/** What the server signs. */
export function serverSignedText(sha256OfT1: Uint8Array): Bytes {
  return concat(purpose('server'), sha256OfT1);
}

/** Its SHA-256 is `th`, which every key depends on. */
export function handshakeTranscript(t1: Uint8Array, serverSignature: Uint8Array): Bytes {
  return concat(t1, lp(serverSignature));
}

/** The salt of `prk` in the handshake. */
export function handshakeSalt(clientNonce: Uint8Array, serverNonce: Uint8Array): Bytes {
  return concat(clientNonce, serverNonce);
}

/** HKDF's `info` for one key. */
export function keyInfo(label: KeyLabel, th: Uint8Array): Bytes {
  return concat(purpose(label), th);
}

/** What the peer signs. */
export function clientSignedText(th: Uint8Array): Bytes {
  return concat(purpose('client'), th);
}

/** What the peer proves its knowledge of the keys over, with key(confirm). */
export function confirmText(peerId: string, clientSignature: Uint8Array): Bytes {
  return concat(utf8('client'), ZERO, lp(utf8(peerId)), lp(clientSignature));
}

/** Additional data of a sealed frame: it can't be moved to another session, generation or direction. */
export function sealedFrameAad(direction: Direction, sessionId: Uint8Array, generation: number): Bytes {
  return concat(lp(utf8(direction)), lp(sessionId), lp(u32(generation)));
}

/** Its SHA-256 is `th` of the next generation. */
export function rekeyTranscript(th: Uint8Array, clientEphemeral: Uint8Array, serverEphemeral: Uint8Array): Bytes {
  return concat(th, lp(clientEphemeral), lp(serverEphemeral));
}

/** What a peer signs when it is registered, which shows that the caller holds its private key. */
export function registrationText(uid: string, publicKey: Uint8Array, time: number): Bytes {
  return concat(purpose('register'), lp(utf8(uid)), lp(publicKey), lp(u64(time)));
}
