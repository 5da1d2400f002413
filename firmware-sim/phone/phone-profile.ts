import { updateByShippedApp } from './shipped-app.ts';
import { type UpdateOptions, type UpdateOutcome, updateDevice } from './update-device.ts';

/** How the app on a phone behaves, as far as updates go. */
export interface PhoneProfile {
  readonly update: (options: UpdateOptions) => Promise<UpdateOutcome>;
  /** Whether it tells the backend which device it asks for: without that, only releases for everybody are offered. */
  readonly namesDevice: boolean;
  /** Whether it tells the backend how an update goes. */
  readonly reports: boolean;
}

/**
 * `own`: the simulator's own phone, which does all that device and backend offer. `shipped-app`: the app that people
 * have today.
 */
export const PHONE_PROFILES = {
  own: { update: updateDevice, namesDevice: true, reports: true },
  'shipped-app': { update: updateByShippedApp, namesDevice: false, reports: false },
} as const satisfies Readonly<Record<string, PhoneProfile>>;

export type PhoneProfileName = keyof typeof PHONE_PROFILES;
