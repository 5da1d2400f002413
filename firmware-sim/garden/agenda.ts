interface Due {
  readonly name: string;
  /** In which its name was first planned. */
  readonly order: number;
  at: number;
  run: () => void;
  /** Where it stands among those that are planned; −1 while it is not. */
  place: number;
}

/**
 * What a garden will do next, by name. Time only jumps from one event to the next, so that a year in which little happens
 * costs little. Events due at the same moment run in the order in which their names were first planned.
 */
export class Agenda {
  #nowMs: number;
  readonly #byName = new Map<string, Due>();
  readonly #planned: Due[] = [];
  #next: Due | undefined;
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
    return this.#earliest()?.at ?? Number.POSITIVE_INFINITY;
  }

  /** Plans an event, instead of an earlier one of that name. One in the past is due at once. */
  plan(name: string, at: number, run: () => void): void {
    let due = this.#byName.get(name);
    if (due === undefined) {
      due = { name, order: this.#byName.size, at, run, place: -1 };
      this.#byName.set(name, due);
    }
    due.at = Math.max(at, this.#nowMs);
    due.run = run;
    if (due.place === -1) {
      due.place = this.#planned.length;
      this.#planned.push(due);
    }
    this.#isNextKnown = false;
  }

  cancel(name: string): void {
    const due = this.#byName.get(name);
    if (due === undefined || due.place === -1) return;
    this.#remove(due);
    if (this.#next === due) this.#isNextKnown = false;
  }

  has(name: string): boolean {
    return (this.#byName.get(name)?.place ?? -1) !== -1;
  }

  /** Runs everything due until then. A moment that has passed changes nothing. */
  advanceTo(ms: number): void {
    for (let next = this.#earliest(); next !== undefined && next.at <= ms; next = this.#earliest()) {
      this.#nowMs = next.at;
      this.#remove(next);
      this.#isNextKnown = false;
      next.run();
    }
    this.#nowMs = Math.max(this.#nowMs, ms);
  }

  #remove(due: Due): void {
    const last = this.#planned.pop();
    if (last !== undefined && last !== due) {
      this.#planned[due.place] = last;
      last.place = due.place;
    }
    due.place = -1;
  }

  #earliest(): Due | undefined {
    if (this.#isNextKnown) return this.#next;
    let next: Due | undefined;
    for (const due of this.#planned) {
      if (next === undefined || due.at < next.at || (due.at === next.at && due.order < next.order)) next = due;
    }
    this.#next = next;
    this.#isNextKnown = true;
    return next;
  }
}
