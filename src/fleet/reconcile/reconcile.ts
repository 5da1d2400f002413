import type { HwId, Serial, Uid } from '../../platform/ids.ts';
import { type Device, fleetStateOf } from '../device/device.ts';

/** A device as a phone sees it over BLE: its label, its chip, or both. */
export interface SeenDevice {
  readonly serial: Serial | undefined;
  readonly hwId: HwId | undefined;
}

export type ReconcileStatus =
  | 'owned'
  | 'claimable'
  | 'claimed_by_other'
  | 'unknown_serial'
  | 'revoked'
  | 'factory_only';

/** What the app should do next (docs/device-reconciliation.md). */
export type SuggestedAction = 'none' | 'claim' | 'ask_owner' | 'check_label' | 'contact_support' | 'come_closer';

export interface Verdict {
  readonly status: ReconcileStatus;
  readonly suggestedAction: SuggestedAction;
}

const ACTIONS: Readonly<Record<ReconcileStatus, SuggestedAction>> = {
  owned: 'none',
  claimable: 'claim',
  claimed_by_other: 'ask_owner',
  unknown_serial: 'check_label',
  revoked: 'contact_support',
  factory_only: 'contact_support',
};

/**
 * Combines what BLE shows with what the cloud knows. The chip is the device, the label is paper: where both are known
 * and disagree, the status is the chip's and the label needs checking. A label alone reveals something only to the
 * device's owner, because six digits can be guessed by trying them all.
 */
export function reconcile(seen: SeenDevice, known: Device | undefined, uid: Uid): Verdict {
  const status = known === undefined ? 'unknown_serial' : statusFor(known, uid);
  if (known === undefined || (seen.hwId === undefined && status !== 'owned')) {
    return { status: 'unknown_serial', suggestedAction: ACTIONS.unknown_serial };
  }
  const labelDisagrees = seen.serial !== undefined && seen.serial !== known.serial;
  return { status, suggestedAction: labelDisagrees ? 'check_label' : ACTIONS[status] };
}

function statusFor(device: Device, uid: Uid): ReconcileStatus {
  const state = fleetStateOf(device);
  if (state === 'active') return 'claimable';
  if (state !== 'claimed') return state;
  return device.owner?.uid === uid ? 'owned' : 'claimed_by_other';
}
