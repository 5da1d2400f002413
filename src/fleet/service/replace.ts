import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import type { HwId, Uid } from '../../platform/ids.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Actor } from '../audit/audit.ts';
import { type Device, fleetStateOf } from '../device/device.ts';
import { personalOf, transition } from '../device/lifecycle.ts';
import type { FleetStore } from '../device/store.ts';

export type ReplaceOutcome =
  | { readonly outcome: 'replaced' | 'already_done'; readonly old: Device; readonly unit: Device }
  | {
      readonly outcome: 'device_not_found' | 'not_revoked' | 'no_former_owner' | 'already_replaced' | 'not_claimable';
    };

/**
 * Replaces a revoked unit with a new one (RMA). The old unit's owner gets the new one, with its name and settings. Safe
 * to repeat.
 */
export async function replaceDevice(
  store: FleetStore,
  aliveCheck: AliveCheck,
  request: {
    readonly oldHwId: HwId;
    readonly newHwId: HwId;
    readonly actor: Actor;
    readonly reason: string | undefined;
  },
  now: number,
): Promise<ReplaceOutcome> {
  const { oldHwId, newHwId, actor, reason } = request;
  return store.whileOvertaken(`The replacement of ${oldHwId}`, async () => {
    const [old, unit] = await Promise.all([store.readDevice(oldHwId), store.readDevice(newHwId)]);
    if (old === undefined || unit === undefined) return { outcome: 'device_not_found' };
    if (old.replacedBy !== null) {
      return old.replacedBy === unit.serial ? { outcome: 'already_done', old, unit } : { outcome: 'already_replaced' };
    }
    if (old.status !== 'revoked') return { outcome: 'not_revoked' };
    const uid = await formerOwnerOf(store, old);
    if (uid === undefined) return { outcome: 'no_former_owner' };
    if (fleetStateOf(unit) !== 'active') return { outcome: 'not_claimable' };

    const had = (await store.listFormer(uid)).find(({ serial }) => serial === old.serial);
    const arrival = transition(
      unit,
      { status: 'active', owner: uid },
      { action: 'replace', actor, reason, facts: { replaces: old.serial } },
      { personal: personalOf(had) },
    );
    const departure = transition(
      old,
      { status: 'revoked', owner: null },
      { action: 'replace', actor, reason, facts: { replaced_by: unit.serial } },
      { changes: { replacedBy: unit.serial, formerOwner: null } },
    );
    const more = [...store.besides(departure, now), ...store.dropFormer(uid, old.serial)];
    const write = await store.commit(arrival, aliveCheck, now, more);
    if (write.written) return { outcome: 'replaced', old, unit };
    return write.account === 'deleted' ? { outcome: 'no_former_owner' } : OVERTAKEN;
  });
}

/** The owner a device had when it was revoked; undefined without one, or when their account was deleted. */
export async function formerOwnerOf(store: FleetStore, device: Device): Promise<Uid | undefined> {
  const { formerOwner, hwId } = device;
  return formerOwner === null ? undefined : (await store.namesOf([formerOwner], hwId)).get(formerOwner);
}
