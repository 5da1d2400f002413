import type { Serial, Uid } from '../../platform/ids.ts';
import type { Actor, AuditAction, AuditEntry } from '../audit/audit.ts';
import { type Device, type DeviceStatus, fleetStateOf, type HashedCode, type SeenFirmware } from './device.ts';
import { type Person, personOf } from './person.ts';

/** One step in a device's life: the device as read, and what it becomes. */
export interface Transition {
  readonly device: Device;
  readonly to: { readonly status: DeviceStatus; readonly owner: Uid | null };
  readonly entry: AuditEntry;
  /** What changes besides its state and owner. */
  readonly changes?: DeviceChanges;
  /** The name and settings the new owner inherits from a former one, if any. */
  readonly personal?: Personal;
}

/** A device's own attributes that a step may change; null removes one. */
export interface DeviceChanges {
  readonly firmware?: SeenFirmware;
  readonly transfer?: Device['transfer'];
  readonly claimCode?: HashedCode;
  readonly formerOwner?: Person | null;
  readonly replacedBy?: Serial;
}

export type SettingValue = string | number | boolean;

/** What an owner adds to a device, which goes with it to the next owner. */
export interface Personal {
  readonly name?: string;
  readonly settings?: Readonly<Record<string, SettingValue>>;
}

/** Picks the owner's name and settings from an entry that holds more. */
export function personalOf(entry: Personal | undefined): Personal {
  const { name, settings } = entry ?? {};
  return { ...(name === undefined ? {} : { name }), ...(settings === undefined ? {} : { settings }) };
}

/** @param device as it was read; the step is taken only if it still has that state and owner */
export function transition(
  device: Device,
  to: Transition['to'],
  step: Pick<AuditEntry, 'actor' | 'reason' | 'facts'> & { readonly action: AuditAction },
  extras: Pick<Transition, 'changes' | 'personal'> = {},
): Transition {
  const before = { state: fleetStateOf(device), owner: device.owner?.uid ?? null };
  const state = to.owner === null ? to.status : 'claimed';
  return { device, to, entry: { ...step, before, after: { state, owner: to.owner } }, ...extras };
}

/** The steps a factory station can request, and the answer when the device is in the wrong state. */
const FACTORY_STEPS = {
  activate: { from: ['factory_only'], to: 'active', refusal: 'not_factory_only', whenThere: 'already_active' },
  revoke: {
    from: ['factory_only', 'active', 'claimed'],
    to: 'revoked',
    refusal: 'not_active',
    whenThere: 'already_revoked',
  },
  reactivate: { from: ['revoked'], to: 'active', refusal: 'not_revoked', whenThere: 'already_active' },
} as const;
export type FactoryStep = keyof typeof FACTORY_STEPS;
export type FactoryRefusal = (typeof FACTORY_STEPS)[FactoryStep]['refusal' | 'whenThere'];

/** The step to take, or why it can't be taken. A revoked device has no owner; the former one stays in the audit. */
export function planFactoryStep(
  device: Device,
  name: FactoryStep,
  actor: Actor,
  reason: string | undefined,
):
  | { readonly allowed: true; readonly transition: Transition }
  | { readonly allowed: false; readonly refusal: FactoryRefusal } {
  const step = FACTORY_STEPS[name];
  const state = fleetStateOf(device);
  if (!step.from.some((from) => from === state)) {
    const isThere = state === step.to || (state === 'claimed' && step.to === 'active');
    return { allowed: false, refusal: isThere ? step.whenThere : step.refusal };
  }
  return {
    allowed: true,
    transition: transition(
      device,
      { status: step.to, owner: null },
      { action: name, actor, reason },
      { changes: { formerOwner: name === 'revoke' && device.owner !== null ? personOf(device.owner.uid) : null } },
    ),
  };
}
