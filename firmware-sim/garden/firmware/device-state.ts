/** Codes of `def3`. */
export const STATUS = {
  ok: 0,
  no_flow: 1,
  unexpected_flow: 2,
  fault: 3,
  rtc_error: 4,
  low_power: 5,
  freeze: 6,
  locked: 7,
} as const;

type Condition = 'locked' | 'freeze' | 'unexpected_flow' | 'no_flow' | 'rtc_error';

/** The worst comes first. */
const ORDER: readonly Condition[] = ['locked', 'freeze', 'unexpected_flow', 'no_flow', 'rtc_error'];

/** The overall state, one code for all that is wrong. */
export class DeviceState {
  readonly #conditions = new Set<Condition>();
  readonly #changed: (code: number) => void;
  #isHidden = false;

  constructor(changed: (code: number) => void) {
    this.#changed = changed;
  }

  get code(): number {
    if (this.#isHidden) return STATUS.ok;
    const worst = ORDER.find((condition) => this.#conditions.has(condition));
    return worst === undefined ? STATUS.ok : STATUS[worst];
  }

  set(condition: Condition, isTrue: boolean): void {
    if (this.#conditions.has(condition) === isTrue) return;
    const before = this.code;
    if (isTrue) {
      this.#conditions.add(condition);
      this.#isHidden = false;
    } else this.#conditions.delete(condition);
    if (this.code !== before) this.#changed(this.code);
  }

  has(condition: Condition): boolean {
    return this.#conditions.has(condition);
  }

  /** Clearing an alarm shows "OK" even while something is locked (device sheet, §2.7). */
  hide(): void {
    const before = this.code;
    this.#isHidden = true;
    if (before !== STATUS.ok) this.#changed(STATUS.ok);
  }

  restart(): void {
    this.#conditions.clear();
    this.#isHidden = false;
  }
}
