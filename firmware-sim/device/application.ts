import type { RunningImage } from '../bootloader/bootloader.ts';

/** How a firmware behaves once it runs. */
export interface ApplicationBehaviour {
  /**
   * `passes`: starts advertising. `fails`: resets itself. `hangs`: does nothing more until the watchdog resets it.
   * Firmware on trial that does not pass is rolled back by its own reset.
   */
  readonly selfTest: 'passes' | 'fails' | 'hangs';
  /** Milliseconds from start to the self-test's result. */
  readonly selfTestMs: number;
  /** Whether it confirms itself once the self-test has passed, or waits for the phone to confirm it. */
  readonly confirms: 'itself' | 'by_phone';
}

/** Behaviour by image. Anything left out is as in the product's firmware. */
export type ApplicationModel = (image: RunningImage) => Partial<ApplicationBehaviour>;

export const PRODUCT_BEHAVIOUR: ApplicationBehaviour = { selfTest: 'passes', selfTestMs: 0, confirms: 'by_phone' };

/** The product's watchdog, which the running application feeds. */
export const WATCHDOG_MS = 8_000;
