import {
  BEARER_SUBPROTOCOL_PREFIX,
  type Bye,
  type ErrorFrame,
  type FrameId,
  NONCE_BYTES,
  type PeerFrame,
  type SealedFrame,
  type ServerFrame,
  type ServerHello,
  type SessionEstablished,
  SUBPROTOCOL,
} from '@autowatering/relay-protocol';
import type { Clock } from '../clock.ts';
import { newEphemeralKey } from '../crypto/curves.ts';
import type { PeerKey } from '../crypto/peer-key.ts';
import { RelayError } from '../errors.ts';
import { parsed } from '../frames/record.ts';
import { isSealedFrame, isServerFrame, isServerHello } from '../frames/server-frames.ts';
import { clientAuth, clientHello, type HandshakeSecrets } from './handshake.ts';
import { type Answers, Requests } from './requests.ts';
import { SealedSession } from './sealed-session.ts';
import type { ServerKeys } from './server-keys.ts';
import type { OpenSocket, RelaySocket } from './socket.ts';

/** From the first attempt to the established session. */
const OPENING_MS = 20_000;
/** Frames that are kept while the keys to read them are on their way. */
const MAX_AHEAD = 1_000;

export interface LinkOptions {
  readonly url: string;
  readonly token: string;
  readonly peerId: string;
  readonly key: PeerKey;
  readonly serverKeys: ServerKeys;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  /** Milliseconds since 1970 as the server has it. */
  now(): number;
}

/** Why a link ended. */
export type LinkEnd =
  | { readonly why: 'bye'; readonly bye: Bye }
  | { readonly why: 'closed' | 'silent' | 'left' }
  | { readonly why: 'error'; readonly error: RelayError };

/** What a link reports besides answers. */
export interface LinkListener {
  established(frame: SessionEstablished): void;
  frame(frame: ServerFrame): void;
  ended(end: LinkEnd): void;
}

type Stage =
  | { readonly at: 'opening' | 'ended' }
  | { readonly at: 'greeted'; readonly secrets: HandshakeSecrets; readonly time: number }
  | { readonly at: 'proven' | 'established'; readonly session: SealedSession };

/** One connection: from its handshake to its end. It is not opened again. */
export class Link {
  readonly #options: LinkOptions;
  readonly #socket: RelaySocket;
  readonly #requests: Requests;
  readonly #listener: LinkListener;
  #stage: Stage = { at: 'opening' };
  #serverKeyId = '';
  #ahead: SealedFrame[] = [];
  #onRekeyed: () => void = () => {};
  /** Frames are read one after the other, and sent so. */
  #reading: Promise<void> = Promise.resolve();
  #sending: Promise<void> = Promise.resolve();
  readonly #cancelOpening: () => void;

  /** Connects and shakes hands. */
  constructor(options: LinkOptions, listener: LinkListener) {
    this.#options = options;
    this.#listener = listener;
    this.#requests = new Requests(options.clock, () => this.#end({ why: 'silent' }));
    this.#cancelOpening = options.clock.after(OPENING_MS, () => this.#end({ why: 'silent' }));
    const subprotocols = [SUBPROTOCOL, `${BEARER_SUBPROTOCOL_PREFIX}${options.token}`];
    this.#socket = options.openSocket(options.url, subprotocols);
    this.#socket.onopen = () => this.#read(() => this.#greet());
    this.#socket.onmessage = ({ data }: { readonly data: unknown }) => {
      if (typeof data === 'string') this.#read(() => this.#receive(data));
    };
    this.#socket.onerror = () => {};
    // After what arrived before it.
    this.#socket.onclose = () => this.#read(async () => this.#end({ why: 'closed' }));
  }

  get isOpen(): boolean {
    return this.#stage.at === 'established';
  }

  get serverKeyId(): string {
    return this.#serverKeyId;
  }

  /**
   * Asks, and waits for the answer.
   *
   * @throws RelayError `lost` without an answer; RefusedRequest if the server refused
   */
  request<Type extends keyof Answers>(type: Type, frameOf: (id: FrameId) => PeerFrame): Promise<Answers[Type]> {
    if (!this.isOpen) return Promise.reject(new RelayError('lost', 'The connection ended.'));
    const { frame, answer } = this.#requests.add(type, frameOf);
    this.send(frame);
    return answer;
  }

  send(frame: PeerFrame): void {
    this.#sending = this.#sending
      .then(async () => {
        if (this.#stage.at !== 'established') return;
        const sealed = await this.#stage.session.seal(frame);
        if (this.isOpen) this.#socket.send(JSON.stringify(sealed));
      })
      .catch((error: unknown) => this.#fail(error));
  }

  /** Frames sealed or opened with the newest keys. */
  get frames(): number {
    return this.#stage.at === 'established' ? this.#stage.session.frames : 0;
  }

  /** Asks for new keys. @param onRekeyed called when they are in use */
  async rekey(onRekeyed: () => void): Promise<void> {
    if (this.#stage.at !== 'established') return;
    this.#onRekeyed = onRekeyed;
    this.send(await this.#stage.session.rekey());
  }

  close(): void {
    this.#end({ why: 'left' });
  }

  /** Nothing was heard for too long. */
  giveUp(): void {
    this.#end({ why: 'silent' });
  }

  #read(step: () => Promise<void>): void {
    this.#reading = this.#reading.then(step).catch((error: unknown) => this.#fail(error));
  }

  async #greet(): Promise<void> {
    if (this.#stage.at !== 'opening') return;
    const { peerId, key, now } = this.#options;
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const secrets = { nonce, ephemeral: await newEphemeralKey() };
    const time = now();
    this.#stage = { at: 'greeted', secrets, time };
    this.#socket.send(JSON.stringify(clientHello({ peerId, key }, secrets, time)));
  }

  async #receive(text: string): Promise<void> {
    const stage = this.#stage;
    if (stage.at === 'ended') return;
    this.#requests.heard();
    const frame = parsed(text);
    if (isSealedFrame(frame)) return this.#unseal(frame);
    // After the handshake only sealed frames count: anything else may come from somebody in between.
    if (stage.at === 'established') return;
    if (stage.at === 'greeted' && isServerHello(frame)) return this.#prove(stage, frame);
    if (!isServerFrame(frame)) return;
    if (frame.type === 'bye') this.#end({ why: 'bye', bye: frame });
    if (frame.type === 'error') this.#end({ why: 'error', error: refusal(frame) });
  }

  async #prove({ secrets, time }: Extract<Stage, { at: 'greeted' }>, hello: ServerHello): Promise<void> {
    const { peerId, key, serverKeys, clock } = this.#options;
    const proven = await clientAuth({ peerId, key }, secrets, time, hello, serverKeys);
    if (this.#stage.at !== 'greeted') return;
    this.#serverKeyId = hello.server_key_id;
    this.#stage = { at: 'proven', session: new SealedSession(proven.sessionId, proven.generation, clock) };
    this.#socket.send(JSON.stringify(proven.auth));
  }

  async #unseal(sealed: SealedFrame): Promise<void> {
    const stage = this.#stage;
    if (stage.at !== 'proven' && stage.at !== 'established') return;
    const text = await stage.session.open(sealed);
    if (text === undefined) {
      if (stage.session.isAhead(sealed) && this.#ahead.length < MAX_AHEAD) this.#ahead.push(sealed);
      return;
    }
    const frame = parsed(text);
    if (this.#stage.at === 'ended' || !isServerFrame(frame)) return;
    if (stage.at === 'proven') {
      if (frame.type !== 'session_established') return;
      this.#stage = { at: 'established', session: stage.session };
      this.#cancelOpening();
      return this.#listener.established(frame);
    }
    if (frame.type === 'bye') return this.#end({ why: 'bye', bye: frame });
    if (frame.type === 'rekeyed') {
      if (await stage.session.rekeyed(frame)) {
        this.#onRekeyed();
        for (const ahead of this.#ahead.splice(0)) await this.#unseal(ahead);
      }
      return;
    }
    if (!this.#requests.answered(frame)) this.#listener.frame(frame);
  }

  #fail(error: unknown): void {
    const known =
      error instanceof RelayError ? error : new RelayError('lost', 'The connection failed.', { cause: error });
    this.#end({ why: 'error', error: known });
  }

  #end(end: LinkEnd): void {
    if (this.#stage.at === 'ended') return;
    this.#stage = { at: 'ended' };
    this.#cancelOpening();
    this.#requests.abandon();
    this.#socket.close();
    this.#listener.ended(end);
  }
}

function refusal({ code, message, time, retry_after }: ErrorFrame): RelayError {
  return new RelayError(code, message, { time, retryAfter: retry_after });
}
