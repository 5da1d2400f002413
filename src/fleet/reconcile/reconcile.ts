import type { HwId, Serial, Uid } from '../../platform/ids.ts';
import { type Device, fleetStateOf } from '../device/device.ts';

/** What a phone sees of a device over BLE: what its label says, what its chip says, or both. */
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
 * The one answer to (seen over BLE, known in the cloud). The chip is the device, the label is paper: where both are
 * known and disagree, the status is the chip's and the label is to be checked. A label alone tells only its owner
 * anything: six digits can be counted through by somebody who has never seen a device.
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
