import type { ServerFrame, SessionEstablished, StreamHead } from '@autowatering/relay-protocol';
import type { Clock } from '../clock.ts';
import type { PeerKey } from '../crypto/peer-key.ts';
import { RelayError } from '../errors.ts';
import { Link, type LinkEnd } from '../session/link.ts';
import type { ServerKeys } from '../session/server-keys.ts';
import type { OpenSocket } from '../session/socket.ts';
import type { TokenSource } from '../tokens/token-source.ts';
import { backoff } from './backoff.ts';
import type { RelayState } from './state.ts';
import { Upkeep } from './upkeep.ts';
import { type Verdict, verdictOn, verdictOnError } from './verdict.ts';

/** A session that lasted so long was a good one: the next failure is the first. */
const GOOD_MS = 30_000;
const RENEW_AGAIN_MS = 30_000;

export interface ConnectionOptions {
  readonly url: string;
  readonly peerId: string;
  readonly key: PeerKey;
  readonly tokens: TokenSource;
  readonly serverKeys: ServerKeys;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  readonly random: () => number;
}

export interface ConnectionListener {
  state(state: RelayState): void;
  /** A session is established; it takes the place of the last one, if that still lasts. */
  online(link: Link, established: SessionEstablished): void;
  offline(): void;
  frame(frame: ServerFrame): void;
  heads(heads: readonly StreamHead[]): void;
}

interface Attempt {
  link?: Link;
  isOver: boolean;
}

/** Keeps one session after the other, for as long as the server lets this peer in. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  #state: RelayState = { state: 'offline', reason: 'closed' };
  #current: { readonly link: Link; readonly upkeep: Upkeep; readonly since: number } | undefined;
  #attempt: Attempt | undefined;
  #failures = 0;
  #isTokenDoubtful = false;
  /** What the server's clock is ahead of ours. */
  #skew = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
  }

  get state(): RelayState {
    return this.#state;
  }

  /** Milliseconds since 1970 as the server has it. */
  now(): number {
    return this.#options.clock.now() + this.#skew;
  }

  /** The server sent its time: ours is wrong. */
  correct(serverTime: number): void {
    this.#skew = serverTime - this.#options.clock.now();
  }

  /** Connects now, also after a refusal. */
  connect(): void {
    if (this.#current !== undefined || this.#attempt !== undefined) return;
    this.#cancelRetry?.();
    this.#tell({ state: 'connecting' });
    void this.#try();
  }

  /** The device woke up, or the network is back: finds out at once whether the connection still lasts. */
  wake(): void {
    if (this.#state.state === 'offline' && this.#state.reason !== 'closed') this.connect();
    // If there is no answer, the link ends, which its listener hears.
    else void this.#current?.upkeep.ping().catch(() => {});
  }

  close(): void {
    this.#cancelRetry?.();
    const attempt = this.#attempt;
    this.#attempt = undefined;
    if (attempt !== undefined) attempt.isOver = true;
    attempt?.link?.close();
    this.#leave()?.close();
    this.#tell({ state: 'offline', reason: 'closed' });
  }

  async #try(): Promise<void> {
    const attempt: Attempt = { isOver: false };
    this.#attempt = attempt;
    const { tokens, clock, url, peerId, key, serverKeys, openSocket } = this.#options;
    try {
      const token = await tokens({ refresh: this.#isTokenDoubtful });
      if (attempt.isOver) return;
      this.#isTokenDoubtful = false;
      const now = () => this.now();
      const link = new Link(
        { url, token, peerId, key, serverKeys, openSocket, clock, now },
        {
          established: (established) => this.#established(attempt, link, established),
          frame: (frame) => {
            if (this.#current?.link === link) this.#listener.frame(frame);
          },
          ended: (end) => this.#ended(attempt, link, end),
        },
      );
      attempt.link = link;
    } catch (error) {
      if (attempt.isOver) return;
      this.#attempt = undefined;
      const known =
        error instanceof RelayError ? error : new RelayError('lost', 'Connecting failed.', { cause: error });
      this.#decide(verdictOnError(known));
    }
  }

  #established(attempt: Attempt, link: Link, established: SessionEstablished): void {
    if (attempt.isOver || this.#attempt !== attempt) return;
    this.#attempt = undefined;
    const { clock, random, serverKeys } = this.#options;
    const before = this.#leave({ isReplaced: true });
    const upkeep = new Upkeep(link, established, {
      clock,
      random,
      now: () => this.now(),
      heads: (heads) => {
        if (this.#current?.link === link) this.#listener.heads(heads);
      },
      renew: () => this.#renew(),
    });
    this.#current = { link, upkeep, since: clock.now() };
    this.#listener.online(link, established);
    before?.close();
    if (this.#state.state !== 'online') this.#tell({ state: 'online', since: this.#current.since });
    void serverKeys.confirmed(link.serverKeyId);
  }

  #ended(attempt: Attempt, link: Link, end: LinkEnd): void {
    const current = this.#current;
    if (current?.link === link) {
      this.#leave();
      if (this.#options.clock.now() - current.since >= GOOD_MS) this.#failures = 0;
      // A successor on its way replaces this one, and the server says so here: that is no refusal.
      const isReplaced = end.why === 'bye' && end.bye.code === 'replaced';
      if (this.#attempt === undefined) this.#decide(verdictOn(end));
      else if (!isReplaced) this.#tell({ state: 'connecting' });
      return;
    }
    if (attempt.isOver || this.#attempt !== attempt) return;
    this.#attempt = undefined;
    // Browsers hide why a connection was refused: it may be the token.
    this.#isTokenDoubtful = end.why === 'closed';
    this.#decide(verdictOn(end));
  }

  /** Ends what belongs to the current session. */
  #leave({ isReplaced = false } = {}): Link | undefined {
    const current = this.#current;
    this.#current = undefined;
    current?.upkeep.stop();
    if (current !== undefined && !isReplaced) this.#listener.offline();
    return current?.link;
  }

  #renew(): void {
    if (this.#attempt === undefined && this.#current !== undefined) void this.#try();
  }

  #decide(verdict: Verdict): void {
    const { clock, random } = this.#options;
    if ('refused' in verdict) {
      this.#leave()?.close();
      this.#tell({ state: 'refused', reason: verdict.refused, message: verdict.message });
      return;
    }
    this.#failures += 1;
    const { offline: reason, message, retryAfter, serverTime } = verdict;
    if (serverTime !== undefined) this.correct(serverTime);
    this.#cancelRetry?.();
    if (this.#current !== undefined) {
      // Renewing failed; the session lasts a little longer.
      this.#cancelRetry = clock.after(RENEW_AGAIN_MS, () => this.#renew());
      return;
    }
    const isFirstSkew = serverTime !== undefined && this.#failures === 1;
    const ms = isFirstSkew ? 0 : backoff(this.#failures, random, retryAfter);
    const why = message === undefined ? {} : { message };
    this.#tell({ state: 'offline', reason, retryAt: clock.now() + ms, ...why });
    this.#cancelRetry = clock.after(ms, () => this.connect());
  }

  #tell(state: RelayState): void {
    this.#state = state;
    this.#listener.state(state);
  }
}
