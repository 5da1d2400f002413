import { GOOD_RADIO, type RadioOptions } from '../link/radio.ts';
import type { PhoneProfileName } from '../phone/phone-profile.ts';
import type { Random, Weighted } from '../time/random.ts';

/** A kind of phone, defined by its radio. */
export interface PhoneKind {
  readonly name: string;
  readonly mtu: number;
  readonly radio: RadioOptions;
}

/**
 * What happens to a device's update: nothing special; its flash loses a bit, so that the bootloader rejects the image;
 * the new firmware fails its self-test, or hangs in it; the phone leaves midway, for good or until another day; the
 * power fails.
 */
export const FATES = [
  ...(['goes_well', 'rejects', 'rolls_back', 'hangs', 'vanishes', 'comes_back', 'loses_power'] as const),
] as const;
export type Fate = (typeof FATES)[number];

/** The composition of a fleet. */
export interface FleetMix {
  readonly phones: readonly Weighted<PhoneKind>[];
  /** The apps on the phones, independent of the kind of phone. */
  readonly profiles: readonly Weighted<PhoneProfileName>[];
  readonly fates: readonly Weighted<Fate>[];
  /** Milliseconds over which the owners' first visits are spread. */
  readonly spanMs: number;
}

const phone = (name: string, mtu: number, radio: Partial<RadioOptions>): PhoneKind => ({
  ...{ name, mtu, radio: { ...GOOD_RADIO, ...radio } },
});

const DAY_MS = 24 * 60 * 60 * 1000;

/** Default percentage of phones with the shipped app. */
export const SHIPPED_APP_PERCENT = 50;

/** The apps of a fleet in which that percentage of phones, 0 to 100, has the shipped app. */
export function appsWithShipped(percent: number): FleetMix['profiles'] {
  return [
    { weight: 100 - percent, value: 'own' },
    { weight: percent, value: 'shipped-app' },
  ];
}

/** A realistic fleet: most phones are good, most updates go well. */
export const USUAL_MIX: FleetMix = {
  phones: [
    { weight: 45, value: phone('new phone', 498, { lossRate: 0.01 }) },
    { weight: 35, value: phone('usual phone', 247, { intervalMs: 30, packetsPerInterval: 4, lossRate: 0.02 }) },
    {
      weight: 10,
      value: phone('old phone', 23, { intervalMs: 50, packetsPerInterval: 4, dataLength: 27, lossRate: 0.02 }),
    },
    { weight: 10, value: phone('phone far away', 185, { intervalMs: 45, lossRate: 0.25, latencyMs: 20 }) },
  ],
  profiles: appsWithShipped(SHIPPED_APP_PERCENT),
  fates: [
    { weight: 880, value: 'goes_well' },
    { weight: 10, value: 'rejects' },
    { weight: 15, value: 'rolls_back' },
    { weight: 5, value: 'hangs' },
    { weight: 20, value: 'vanishes' },
    { weight: 50, value: 'comes_back' },
    { weight: 20, value: 'loses_power' },
  ],
  spanMs: 7 * DAY_MS,
};

/** What one device drew from the mix. */
export interface Lot {
  readonly phone: PhoneKind;
  readonly profile: PhoneProfileName;
  readonly fate: Fate;
  /** Milliseconds from the start of the simulation to the owner's first visit. */
  readonly startMs: number;
}

export function drawLot(mix: FleetMix, random: Random): Lot {
  return {
    phone: random.pick(mix.phones),
    fate: random.pick(mix.fates),
    startMs: Math.floor(random.next() * mix.spanMs),
    profile: random.pick(mix.profiles),
  };
}
