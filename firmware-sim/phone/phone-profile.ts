import { updateByShippedApp } from './shipped-app.ts';
import { type UpdateOptions, type UpdateOutcome, updateDevice } from './update-device.ts';

/** How a phone's app handles updates. */
export interface PhoneProfile {
  readonly update: (options: UpdateOptions) => Promise<UpdateOutcome>;
  /** Whether it names its device to the backend. Without that, only releases for everybody are offered. */
  readonly namesDevice: boolean;
  /** Whether it reports the progress of an update to the backend. */
  readonly reports: boolean;
}

/**
 * `own`: the simulator's own phone, which uses everything that device and backend offer. `shipped-app`: the app that
 * people have today.
 */
export const PHONE_PROFILES = {
  own: { update: updateDevice, namesDevice: true, reports: true },
  'shipped-app': { update: updateByShippedApp, namesDevice: false, reports: false },
} as const satisfies Readonly<Record<string, PhoneProfile>>;

export type PhoneProfileName = keyof typeof PHONE_PROFILES;
