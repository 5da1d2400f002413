import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import { isoTime } from '../../platform/clock.ts';
import type { Serial, Uid } from '../../platform/ids.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import type { Device } from '../device/device.ts';
import { personalOf, type Transition, transition } from '../device/lifecycle.ts';
import type { FleetStore } from '../device/store.ts';
import { type ClaimCode, createClaimCode, parseClaimCode } from './claim-code.ts';
import type { CodeHashes } from './code-hashes.ts';

/** How long the next owner has to accept. */
const TRANSFER_MS = 24 * 60 * 60 * 1000;

export type OfferOutcome =
  | { readonly outcome: 'offered'; readonly device: Device; readonly code: ClaimCode; readonly expiresAt: number }
  | { readonly outcome: 'cancelled'; readonly device: Device }
  | { readonly outcome: 'not_owned' };

export type AcceptOutcome =
  | { readonly outcome: 'transferred' | 'already_owned'; readonly device: Device; readonly claimedAt: string }
  | { readonly outcome: 'transfer_invalid' | 'account_deleted' };

/** Offers a device to whoever gets the code from its owner; a second offer replaces the first. */
export async function offerTransfer(
  store: FleetStore,
  { randomness, codes }: Pick<Services, 'randomness'> & { readonly codes: CodeHashes },
  serial: Serial,
  uid: Uid,
  now: number,
): Promise<OfferOutcome> {
  const code = createClaimCode(randomness);
  const expiresAt = now + TRANSFER_MS;
  const device = await changeOwn(store, serial, uid, now, async (own) => {
    const hashed = await codes.hash(code, { purpose: 'transfer', hwId: own.hwId });
    return staying(own, uid, 'transfer_offered', { ...hashed, expiresAt });
  });
  return device === undefined ? { outcome: 'not_owned' } : { outcome: 'offered', device, code, expiresAt };
}

/** Withdraws the owner's offer, if there is one. */
export async function cancelTransfer(store: FleetStore, serial: Serial, uid: Uid, now: number): Promise<OfferOutcome> {
  const device = await changeOwn(store, serial, uid, now, async (own) =>
    own.transfer === null ? undefined : staying(own, uid, 'transfer_cancelled', null),
  );
  return device === undefined ? { outcome: 'not_owned' } : { outcome: 'cancelled', device };
}

/**
 * Transfers the device to the next owner, with its name and settings. An unknown serial, a missing or expired offer and
 * a wrong code get the same answer after the same work.
 */
export async function acceptTransfer(
  store: FleetStore,
  { aliveCheck, codes }: { readonly aliveCheck: AliveCheck; readonly codes: CodeHashes },
  request: { readonly serial: Serial; readonly code: string },
  uid: Uid,
  now: number,
): Promise<AcceptOutcome> {
  const code = parseClaimCode(request.code);
  if (code === undefined) return { outcome: 'transfer_invalid' };
  return store.whileOvertaken(`The transfer of ${request.serial}`, async () => {
    const device = await store.findBySerial(request.serial);
    const offer = device?.transfer ?? undefined;
    const isRight = await codes.isHashOf(code, offer, { purpose: 'transfer', hwId: device?.hwId });
    // Repeated after a lost answer: the user already owns it, and the code is gone.
    if (device?.owner?.uid === uid) return { outcome: 'already_owned', device, claimedAt: device.owner.claimedAt };
    const from = device?.owner?.uid;
    if (device === undefined || from === undefined || offer === undefined || !isRight || offer.expiresAt <= now) {
      return { outcome: 'transfer_invalid' };
    }
    const had = await store.readOwned(from, device.serial);
    const step = transition(
      device,
      { status: device.status, owner: uid },
      { action: 'transfer', actor: { kind: 'user', uid }, reason: undefined },
      { personal: personalOf(had) },
    );
    const write = await store.commit(step, aliveCheck, now);
    if (write.written) return { outcome: 'transferred', device, claimedAt: isoTime(now) };
    return write.account === 'deleted' ? { outcome: 'account_deleted' } : OVERTAKEN;
  });
}

function staying(
  device: Device,
  uid: Uid,
  action: 'transfer_offered' | 'transfer_cancelled',
  transfer: Device['transfer'],
): Transition {
  return transition(
    device,
    { status: device.status, owner: uid },
    { action, actor: { kind: 'user', uid }, reason: undefined },
    { changes: { transfer } },
  );
}

/** Changes a device of the caller's; undefined when they don't own it. */
async function changeOwn(
  store: FleetStore,
  serial: Serial,
  uid: Uid,
  now: number,
  stepFor: (device: Device) => Promise<Transition | undefined>,
): Promise<Device | undefined> {
  return store.whileOvertaken(`The change of ${serial} by its owner`, async () => {
    const owned = await store.readOwned(uid, serial);
    const device = owned === undefined ? undefined : await store.readDevice(owned.hwId);
    if (device === undefined || device.status !== 'active' || device.owner?.uid !== uid) return undefined;
    const step = await stepFor(device);
    return step === undefined || (await store.commit(step, undefined, now)).written ? device : OVERTAKEN;
  });
}
