import type { Agenda } from '../../agenda.ts';

/** Between two parts. */
const PART_MS = 2;

/** Sends the parts of an answer, one after the other. Whoever is not subscribed gets none of them. */
export class PartSender {
  readonly #agenda: Agenda;
  readonly #name: string;
  readonly #notify: (part: Uint8Array) => void;
  #parts: readonly Uint8Array[] = [];

  constructor(agenda: Agenda, name: string, notify: (part: Uint8Array) => void) {
    this.#agenda = agenda;
    this.#name = name;
    this.#notify = notify;
  }

  get isBusy(): boolean {
    return this.#parts.length > 0;
  }

  send(parts: readonly Uint8Array[]): void {
    this.#parts = parts;
    this.#next();
  }

  abort(): void {
    this.#parts = [];
    this.#agenda.cancel(this.#name);
  }

  #next(): void {
    this.#agenda.plan(this.#name, this.#agenda.now + PART_MS, () => {
      const [part, ...rest] = this.#parts;
      this.#parts = rest;
      if (part !== undefined) this.#notify(part);
      if (rest.length > 0) this.#next();
    });
  }
}
