import type { RelayError } from '../errors.ts';
import type { Merge } from './merging.ts';
import type { Publication } from './publication.ts';

/** Who waits for the outcome of a publish. */
export interface Waiting {
  resolve(publication: Publication): void;
  reject(error: RelayError): void;
}

/** What the application gave along with an event. It is gone with the page or process, unlike the event. */
export interface Caller {
  readonly merge?: Merge | undefined;
  readonly done?: Waiting | undefined;
}

/** The callers of the entries that are still in the outbox, by the entries' ids. */
export class Callers {
  readonly #waiting = new Map<number, Waiting>();
  readonly #merges = new Map<number, Merge>();

  add(id: number, { merge, done }: Caller): void {
    if (merge !== undefined) this.#merges.set(id, merge);
    if (done !== undefined) this.#waiting.set(id, done);
  }

  mergeOf(id: number): Merge | undefined {
    return this.#merges.get(id);
  }

  resolve(id: number, publication: Publication): void {
    this.#waiting.get(id)?.resolve(publication);
    this.#forget(id);
  }

  reject(id: number, error: RelayError): void {
    this.#waiting.get(id)?.reject(error);
    this.#forget(id);
  }

  /** Nobody waits any more. */
  rejectAll(error: RelayError): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #forget(id: number): void {
    this.#waiting.delete(id);
    this.#merges.delete(id);
  }
}
