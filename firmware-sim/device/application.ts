import type { RunningImage } from '../bootloader/bootloader.ts';

/** How a firmware behaves once it runs. */
export interface ApplicationBehaviour {
  /**
   * `passes`: it begins to advertise. `fails`: it resets itself. `hangs`: it does nothing more, and the watchdog resets
   * it. A firmware on trial that does not pass is rolled back by its own reset.
   */
  readonly selfTest: 'passes' | 'fails' | 'hangs';
  /** Milliseconds from its start to the result of its self-test. */
  readonly selfTestMs: number;
  /** Whether it confirms itself when its self-test has passed, or waits for the phone to confirm it. */
  readonly confirms: 'itself' | 'by_phone';
}

/** What a firmware does, by its image; what is not said is as the product's firmware does it. */
export type ApplicationModel = (image: RunningImage) => Partial<ApplicationBehaviour>;

export const PRODUCT_BEHAVIOUR: ApplicationBehaviour = { selfTest: 'passes', selfTestMs: 0, confirms: 'by_phone' };

/** The product's watchdog, which the running application feeds. */
export const WATCHDOG_MS = 8_000;
