/** The supply failed: whatever the processor was doing is over. */
export class PowerCutError extends Error {
  override readonly name = 'PowerCutError';
}

/** What the supply allows the next flash operation: all of it, nothing, or to be torn in its middle. */
export type Spent = 'whole' | 'none' | 'half';

/** The supply of a simulated board, which can be made to fail at a chosen flash operation. */
export class PowerSupply {
  #left = Number.POSITIVE_INFINITY;
  #tears = false;
  #isOff = false;

  /**
   * Fails at the flash operation after that many more.
   *
   * @param how `before` it does anything, or in the `middle` of it
   */
  failAfter(operations: number, how: 'before' | 'middle' = 'before'): void {
    this.#left = operations;
    this.#tears = how === 'middle';
  }

  fail(): void {
    this.#isOff = true;
  }

  restore(): void {
    this.#isOff = false;
    this.#left = Number.POSITIVE_INFINITY;
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  /** One flash operation begins. */
  spend(): Spent {
    if (this.#isOff) return 'none';
    this.#left -= 1;
    if (this.#left >= 0) return 'whole';
    this.#isOff = true;
    return this.#tears ? 'half' : 'none';
  }
}
