/** The supply failed, which ended whatever the processor was doing. */
export class PowerCutError extends Error {
  override readonly name = 'PowerCutError';
}

/** How much of the next flash operation the supply allows: all, nothing, or half, which tears it. */
export type Spent = 'whole' | 'none' | 'half';

/** A simulated board's supply, which can be made to fail at a chosen flash operation. */
export class PowerSupply {
  #left = Number.POSITIVE_INFINITY;
  #tears = false;
  #isOff = false;

  /**
   * Fails after that many more flash operations.
   *
   * @param how `before` the next one does anything, or in the `middle` of it
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

  /** Called when a flash operation begins. */
  spend(): Spent {
    if (this.#isOff) return 'none';
    this.#left -= 1;
    if (this.#left >= 0) return 'whole';
    this.#isOff = true;
    return this.#tears ? 'half' : 'none';
  }
}
