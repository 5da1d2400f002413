import type { TransactItems } from '../../platform/aws/dynamo.ts';
import type { HwId } from '../../platform/ids.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Actor } from '../audit/audit.ts';
import type { Device } from '../device/device.ts';
import { type FactoryRefusal, type FactoryStep, planFactoryStep } from '../device/lifecycle.ts';
import type { FleetStore } from '../device/store.ts';
import { formerOwnerOf } from '../service/replace.ts';

export type FactoryStepOutcome =
  | { readonly outcome: 'done'; readonly device: Device }
  | { readonly outcome: 'device_not_found' | FactoryRefusal };

/** Activates, revokes or reactivates a device. After a concurrent change it reads again and decides anew. */
export async function takeFactoryStep(
  store: FleetStore,
  request: {
    readonly hwId: HwId;
    readonly step: FactoryStep;
    readonly actor: Actor;
    readonly reason: string | undefined;
  },
  now: number,
): Promise<FactoryStepOutcome> {
  const { hwId, step, actor, reason } = request;
  return store.whileOvertaken(`To ${step} ${hwId}`, async () => {
    const device = await store.readDevice(hwId);
    if (device === undefined) return { outcome: 'device_not_found' };
    const plan = planFactoryStep(device, step, actor, reason);
    if (!plan.allowed) return { outcome: plan.refusal };
    const more = await whatIsKept(store, device, step, now);
    return (await store.commit(plan.transition, undefined, now, more)).written
      ? { outcome: 'done', device }
      : OVERTAKEN;
  });
}

/** A revoked device's name and settings are kept for its replacement; reactivation discards them. */
async function whatIsKept(store: FleetStore, device: Device, step: FactoryStep, now: number): Promise<TransactItems> {
  if (step === 'revoke' && device.owner !== null) {
    const had = await store.readOwned(device.owner.uid, device.serial);
    return store.keepFormer(device.owner.uid, device, had ?? {}, now);
  }
  if (step !== 'reactivate') return [];
  const uid = await formerOwnerOf(store, device);
  return uid === undefined ? [] : store.dropFormer(uid, device.serial);
}
