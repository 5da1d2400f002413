interface Due {
  readonly at: number;
  readonly run: () => void;
}

/**
 * What a garden will do next, by name. Time only jumps from one event to the next, so that a year in which little happens
 * costs little. Events due at the same moment run in the order in which their names were first planned.
 */
export class Agenda {
  #nowMs: number;
  readonly #due = new Map<string, Due | undefined>();
  #next: { readonly name: string; readonly due: Due } | undefined;
  #isNextKnown = true;

  /** @param nowMs milliseconds since 1970 */
  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  get now(): number {
    return this.#nowMs;
  }

  /** When the next event is due; infinity if there is none. */
  get nextAt(): number {
    return this.#earliest()?.due.at ?? Number.POSITIVE_INFINITY;
  }

  /** Plans an event, instead of an earlier one of that name. One in the past is due at once. */
  plan(name: string, at: number, run: () => void): void {
    this.#due.set(name, { at: Math.max(at, this.#nowMs), run });
    this.#isNextKnown = false;
  }

  cancel(name: string): void {
    if (this.#due.get(name) === undefined) return;
    this.#due.set(name, undefined);
    if (this.#next?.name === name) this.#isNextKnown = false;
  }

  has(name: string): boolean {
    return this.#due.get(name) !== undefined;
  }

  /** Runs everything due until then. A moment that has passed changes nothing. */
  advanceTo(ms: number): void {
    for (let next = this.#earliest(); next !== undefined && next.due.at <= ms; next = this.#earliest()) {
      this.#nowMs = next.due.at;
      this.#due.set(next.name, undefined);
      this.#isNextKnown = false;
      next.due.run();
    }
    this.#nowMs = Math.max(this.#nowMs, ms);
  }

  #earliest(): { readonly name: string; readonly due: Due } | undefined {
    if (this.#isNextKnown) return this.#next;
    this.#next = undefined;
    let at = Number.POSITIVE_INFINITY;
    for (const [name, due] of this.#due) {
      if (due === undefined || due.at >= at) continue;
      at = due.at;
      this.#next = { name, due };
    }
    this.#isNextKnown = true;
    return this.#next;
  }
}
