import { type BackendClient, BackendError, type Report } from './backend-client.ts';

const MOST_AT_ONCE = 100;

/**
 * Reports on their way to the backend. A phone next to a garden may have no network: what can't be sent now goes with
 * the next one, oldest first, and sent twice it counts once.
 */
export class ReportQueue {
  readonly #backend: Pick<BackendClient, 'report'>;
  #waiting: Report[] = [];
  #sending: Promise<void> = Promise.resolve();
  #areVerified = false;

  constructor(backend: Pick<BackendClient, 'report'>) {
    this.#backend = backend;
  }

  /** Whether the device's receipt was found good. */
  get isVerified(): boolean {
    return this.#areVerified;
  }

  /** What the backend does not know yet. */
  get unsent(): readonly Report[] {
    return this.#waiting;
  }

  /** Notes it, and sends what waits; never fails for want of a network. */
  add(report: Report): Promise<void> {
    this.#waiting.push(report);
    return this.flush();
  }

  flush(): Promise<void> {
    this.#sending = this.#sending.then(() => this.#send());
    return this.#sending;
  }

  async #send(): Promise<void> {
    const batch = this.#waiting.slice(0, MOST_AT_ONCE);
    if (batch.length === 0) return;
    try {
      const verified = await this.#backend.report(batch);
      this.#areVerified ||= verified.includes(true);
      this.#waiting = this.#waiting.slice(batch.length);
    } catch (error) {
      // They stay, and go with the next report.
      if (!(error instanceof BackendError)) throw error;
    }
  }
}
