import { REKEY_AFTER_FRAMES, type SessionEstablished, type StreamHead } from '@autowatering/relay-protocol';
import type { Clock } from '../clock.ts';
import { RelayError } from '../errors.ts';
import type { Link } from '../session/link.ts';

/** The server may wait ten minutes for new keys; an answer that is lost shows within this time. */
const REKEY_ANSWER_MS = 15_000;
/** Before the connection ends: enough for a few attempts. */
const RENEW_BEFORE_MS = 5 * 60_000;
const RENEW_SPREAD_MS = 2 * 60_000;

interface UpkeepOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** Milliseconds since 1970 as the server has it. */
  now(): number;
  heads(heads: readonly StreamHead[]): void;
  renew(): void;
}

/** What a session needs while it lasts: signs of life, new keys, and a successor before it ends. */
export class Upkeep {
  readonly #link: Link;
  readonly #terms: SessionEstablished;
  readonly #options: UpkeepOptions;
  readonly #cancels = new Map<string, () => void>();
  #isRekeying = false;

  constructor(link: Link, terms: SessionEstablished, options: UpkeepOptions) {
    this.#link = link;
    this.#terms = terms;
    this.#options = options;
    this.#beat();
    this.#rekeyLater();
    const left = terms.expires_at - options.now();
    this.#after('renew', left - Math.min(RENEW_BEFORE_MS, left / 4) - this.#spread(left), () => options.renew());
  }

  stop(): void {
    for (const cancel of this.#cancels.values()) cancel();
    this.#cancels.clear();
  }

  /** Asks for a sign of life at once, as after the device slept. */
  async ping(): Promise<void> {
    const { heads } = this.#options;
    const pong = await this.#link.request('ping', (id) => ({ type: 'ping', id }));
    heads(pong.heads);
  }

  #spread(left: number): number {
    return this.#options.random() * Math.min(RENEW_SPREAD_MS, left / 10);
  }

  #beat(): void {
    const ms = this.#terms.heartbeat_seconds * 1000;
    this.#after('beat', ms * (0.9 + this.#options.random() / 10), () => {
      // A lost answer ends the connection if nothing else came either: `Requests` watches that.
      void this.ping().catch((error: unknown) => {
        if (!(error instanceof RelayError)) throw error;
      });
      if (this.#link.frames > REKEY_AFTER_FRAMES / 2) void this.#rekey();
      this.#beat();
    });
  }

  #rekeyLater(): void {
    this.#after('rekey', this.#terms.rekey_after_seconds * 1000, () => void this.#rekey());
  }

  async #rekey(): Promise<void> {
    if (this.#isRekeying) return;
    this.#isRekeying = true;
    // Without an answer it is unknown whether the server has the new keys: only a new handshake helps.
    this.#after('rekeyed', REKEY_ANSWER_MS, () => this.#link.giveUp());
    await this.#link.rekey(() => {
      this.#isRekeying = false;
      this.#cancels.get('rekeyed')?.();
      this.#rekeyLater();
    });
  }

  #after(what: string, ms: number, call: () => void): void {
    this.#cancels.get(what)?.();
    this.#cancels.set(what, this.#options.clock.after(Math.max(ms, 0), call));
  }
}
