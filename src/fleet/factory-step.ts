import type { TransactItems } from '../platform/dynamo.ts';
import type { HwId } from '../platform/ids.ts';
import type { Actor } from './audit.ts';
import type { Device } from './device.ts';
import { type FactoryRefusal, type FactoryStep, planFactoryStep } from './lifecycle.ts';
import { formerOwnerOf } from './replace.ts';
import type { FleetStore } from './store.ts';

export type FactoryStepOutcome =
  | { readonly outcome: 'done'; readonly device: Device }
  | { readonly outcome: 'device_not_found' | FactoryRefusal };

/** A device whose owner changes again and again while it is looked at can't be helped; nobody does that for long. */
const MOST_TRIES = 5;

/** Activates, revokes or reactivates a device; overtaken by somebody else, it looks again and decides anew. */
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
  let device = await store.readDevice(request.hwId);
  for (let tries = 1; device !== undefined; tries += 1) {
    const plan = planFactoryStep(device, request.step, request.actor, request.reason);
    if (!plan.allowed) return { outcome: plan.refusal };
    const more = await whatIsKept(store, device, request.step, now);
    const write = await store.commit(plan.transition, undefined, now, more);
    if (write.written) return { outcome: 'done', device };
    if (tries >= MOST_TRIES)
      throw new Error(`device ${request.hwId} changed ${tries} times while it was to ${request.step}`);
    device = write.account === 'alive' ? write.device : undefined;
  }
  return { outcome: 'device_not_found' };
}

/** A revoked device's name and settings wait for the unit that replaces it; in service again, it waits for nothing. */
async function whatIsKept(store: FleetStore, device: Device, step: FactoryStep, now: number): Promise<TransactItems> {
  if (step === 'revoke' && device.owner !== null) {
    const had = await store.readOwned(device.owner.uid, device.serial);
    return store.keepFormer(device.owner.uid, device, had ?? {}, now);
  }
  if (step !== 'reactivate') return [];
  const uid = await formerOwnerOf(store, device);
  return uid === undefined ? [] : store.dropFormer(uid, device.serial);
}
