import {
  type Bytes,
  KEY_BYTES,
  OLD_GENERATION_MS,
  type PeerFrame,
  type Rekeyed,
  SEAL_NONCE_BYTES,
  type SealedFrame,
  toBase64Url,
} from '@autowatering/relay-protocol';
import type { Clock } from '../clock.ts';
import { type EphemeralKey, newEphemeralKey } from '../crypto/curves.ts';
import { decoded } from '../crypto/decoded.ts';
import { type Generation, nextGeneration } from '../crypto/key-schedule.ts';
import { open, seal } from '../crypto/sealing.ts';
import { RelayError } from '../errors.ts';

/** The keys of one session, through its generations. */
export class SealedSession {
  readonly #id: Bytes;
  readonly #clock: Clock;
  #newest: Generation;
  #previous: { readonly generation: Generation; readonly until: number } | undefined;
  #offered: EphemeralKey | undefined;
  #frames = 0;

  constructor(id: Bytes, first: Generation, clock: Clock) {
    this.#id = id;
    this.#newest = first;
    this.#clock = clock;
  }

  /** Frames sealed or opened with the newest keys. */
  get frames(): number {
    return this.#frames;
  }

  async seal(frame: PeerFrame): Promise<SealedFrame> {
    this.#frames += 1;
    const nonce = crypto.getRandomValues(new Uint8Array(SEAL_NONCE_BYTES));
    const { number, send } = this.#newest;
    return seal(send, this.#id, number, JSON.stringify(frame), nonce);
  }

  /** The frame's text; undefined if it is not the server's, or of keys that we don't have. */
  async open(frame: SealedFrame): Promise<string | undefined> {
    const generation = this.#of(frame.g);
    if (generation === undefined) return undefined;
    const text = await open(generation.receive, this.#id, frame);
    if (text !== undefined) this.#frames += 1;
    return text;
  }

  /** Whether a frame is of the keys that an offered rekeying will make, but its answer is not there yet. */
  isAhead(frame: SealedFrame): boolean {
    return this.#offered !== undefined && frame.g === this.#newest.number + 1;
  }

  /** Offers new keys. */
  async rekey(): Promise<PeerFrame> {
    this.#offered = await newEphemeralKey();
    return { type: 'rekey', ephemeral_key: toBase64Url(this.#offered.publicKey) };
  }

  /** Takes the new keys into use. A repeated answer changes nothing. */
  async rekeyed({ generation, ephemeral_key }: Rekeyed): Promise<boolean> {
    const offered = this.#offered;
    if (offered === undefined || generation !== this.#newest.number + 1) return false;
    this.#offered = undefined;
    const key = decoded(ephemeral_key, KEY_BYTES);
    if (key === undefined) throw new RelayError('malformed', 'The new key has a wrong length.');
    const next = await nextGeneration(this.#newest, offered, key);
    this.#previous = { generation: this.#newest, until: this.#clock.now() + OLD_GENERATION_MS };
    this.#newest = next;
    this.#frames = 0;
    return true;
  }

  #of(number: number): Generation | undefined {
    if (number === this.#newest.number) return this.#newest;
    const previous = this.#previous;
    if (previous?.generation.number !== number) return undefined;
    return this.#clock.now() < previous.until ? previous.generation : undefined;
  }
}
