import { CIPHER_SUITE, PROTOCOL } from '@autowatering/relay-protocol';
import { type Bytes, concat, lp, u32, u64, utf8 } from './bytes.ts';

const ZERO = Uint8Array.of(0);

/** What both ends of a handshake have seen once `server_hello` is there. */
export interface Hellos {
  readonly peerId: string;
  readonly peerKey: Bytes;
  readonly clientNonce: Bytes;
  readonly clientEphemeral: Bytes;
  readonly clientTime: number;
  readonly sessionId: Bytes;
  readonly serverNonce: Bytes;
  readonly serverEphemeral: Bytes;
  readonly serverKeyId: string;
  readonly serverTime: number;
}

/** T1 of the protocol. */
export function hellosText(hellos: Hellos): Bytes {
  return concat(
    lp(utf8(PROTOCOL)),
    lp(utf8(CIPHER_SUITE)),
    lp(utf8(hellos.peerId)),
    lp(hellos.peerKey),
    lp(hellos.clientNonce),
    lp(hellos.clientEphemeral),
    lp(u64(hellos.clientTime)),
    lp(hellos.sessionId),
    lp(hellos.serverNonce),
    lp(hellos.serverEphemeral),
    lp(utf8(hellos.serverKeyId)),
    lp(u64(hellos.serverTime)),
  );
}

/** The text that a use of the protocol signs, or a key is derived for. */
export const labelled = (label: string, ...parts: readonly Uint8Array[]): Bytes =>
  concat(utf8(`${PROTOCOL} ${label}`), ZERO, ...parts);

export const confirmation = (peerId: string, clientSignature: Bytes): Bytes =>
  concat(utf8('client'), ZERO, lp(utf8(peerId)), lp(clientSignature));

export const registrationText = (uid: string, publicKey: Bytes, time: number): Bytes =>
  labelled('register', lp(utf8(uid)), lp(publicKey), lp(u64(time)));

/** What a sealed frame authenticates besides its content. */
export const sealedWith = (direction: 'c2s' | 's2c', sessionId: Bytes, generation: number): Bytes =>
  concat(lp(utf8(direction)), lp(sessionId), lp(u32(generation)));
