import { type BackendClient, BackendError, type Report } from './backend-client.ts';

const MOST_AT_ONCE = 100;

/**
 * Reports waiting to be sent to the backend. A phone near a garden may have no network: unsent reports go with the next
 * one, oldest first, and duplicates count once.
 */
export class ReportQueue {
  readonly #backend: Pick<BackendClient, 'report'>;
  #waiting: Report[] = [];
  #sending: Promise<void> = Promise.resolve();
  #areVerified = false;
  readonly #onChange: (unsent: readonly Report[]) => Promise<void>;

  /**
   * @param kept what an earlier run could not send
   * @param onChange called before a report is sent and after it was, for a place that survives a restart
   */
  constructor(
    backend: Pick<BackendClient, 'report'>,
    kept: readonly Report[] = [],
    onChange: (unsent: readonly Report[]) => Promise<void> = async () => {},
  ) {
    this.#backend = backend;
    this.#waiting = [...kept];
    this.#onChange = onChange;
  }

  /** Whether the device's receipt was valid. */
  get isVerified(): boolean {
    return this.#areVerified;
  }

  /** Reports that the backend does not have yet. */
  get unsent(): readonly Report[] {
    return this.#waiting;
  }

  /** Queues a report and sends all that wait. Never fails for lack of a network. */
  async add(report: Report): Promise<void> {
    this.#waiting.push(report);
    await this.#onChange(this.#waiting);
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
      await this.#onChange(this.#waiting);
    } catch (error) {
      // They stay queued and go with the next report.
      if (!(error instanceof BackendError)) throw error;
    }
  }
}
