import type { Agenda } from '../agenda.ts';
import type { World } from '../world/world.ts';
import type { Alarms } from './alarms.ts';
import type { FirmwareBehaviour } from './behaviour.ts';
import type { DeviceClock } from './device-clock.ts';
import type { DeviceState } from './device-state.ts';
import type { Settings } from './settings.ts';
import type { WateringHistory } from './watering/watering-history.ts';

/** Something a phone may be subscribed to has changed. */
export type Signal =
  | { readonly kind: 'valve'; readonly channel: number; readonly isOpen: boolean }
  | { readonly kind: 'task' }
  | { readonly kind: 'queue' }
  /** A queue command that could not be carried out: 1 nothing pending, 2 not valid now, 3 busy. */
  | { readonly kind: 'queue_error'; readonly error: number }
  | { readonly kind: 'status' }
  | { readonly kind: 'alarm' }
  | { readonly kind: 'hydraulic'; readonly channel: number }
  | { readonly kind: 'flow' }
  | { readonly kind: 'watering_notice'; readonly bytes: () => Uint8Array };

/** What the parts of the firmware share. */
export interface Board {
  readonly agenda: Agenda;
  readonly world: World;
  readonly behaviour: FirmwareBehaviour;
  readonly clock: DeviceClock;
  readonly settings: Settings;
  readonly alarms: Alarms;
  readonly state: DeviceState;
  readonly history: WateringHistory;
  /** Whether it has power. */
  readonly isOn: boolean;
  signal(signal: Signal): void;
}
