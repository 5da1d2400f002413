import { claimMessage, isSignedByDevice, parseDeviceKey } from '@autowatering/device-proof';
import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import { isoTime } from '../../platform/clock.ts';
import type { Config } from '../../platform/config.ts';
import type { Serial, Uid } from '../../platform/ids.ts';
import type { NoncePurpose, Nonces } from '../../platform/nonces.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Device } from '../device/device.ts';
import { transition } from '../device/lifecycle.ts';
import type { FleetStore } from '../device/store.ts';
import { parseClaimCode } from './claim-code.ts';
import type { CodeHashes } from './code-hashes.ts';

export interface ClaimRequest {
  readonly serial: Serial;
  /** As typed by the person, if at all. */
  readonly claimCode: string | undefined;
  /** What the device signed, if the phone asked it to. */
  readonly signedNonce: SignedNonce | undefined;
}

export interface SignedNonce {
  readonly nonce: string;
  /** Base64. */
  readonly signature: string;
}

export type ClaimOutcome =
  | { readonly outcome: 'claimed' | 'already_owned'; readonly device: Device; readonly claimedAt: string }
  | {
      readonly outcome:
        | 'device_not_found'
        | 'already_claimed'
        | 'not_claimable'
        | 'claim_proof_required'
        | 'claim_proof_invalid'
        | 'account_deleted';
    };

export interface ClaimRules {
  readonly claimProof: Config['claimProof'];
  readonly aliveCheck: AliveCheck;
  readonly nonces: Nonces;
  readonly codes: CodeHashes;
}

/**
 * Claims a free device for the user. Whoever comes second gets `already_claimed`; the owner may repeat the claim.
 *
 * Where proof is required, nothing is revealed about a device until the proof is valid: an unknown serial, somebody
 * else's device and a wrong code get the same answer after the same work.
 */
export async function claimDevice(
  store: FleetStore,
  rules: ClaimRules,
  request: ClaimRequest,
  uid: Uid,
  now: number,
): Promise<ClaimOutcome> {
  return store.whileOvertaken(`The claim of ${request.serial}`, () => tryToClaim(store, rules, request, uid, now));
}

async function tryToClaim(
  store: FleetStore,
  rules: ClaimRules,
  request: ClaimRequest,
  uid: Uid,
  now: number,
): Promise<ClaimOutcome | typeof OVERTAKEN> {
  const device = await store.findBySerial(request.serial);
  const settled = device === undefined ? undefined : settledOwnership(device, uid);
  if (settled?.outcome === 'already_owned') return settled;
  if (device === undefined && rules.claimProof === 'optional') return { outcome: 'device_not_found' };
  const proof = await checkProof(device, request, uid, rules);
  if (proof !== 'good') return { outcome: proof };
  if (device === undefined) return { outcome: 'device_not_found' };
  if (settled !== undefined) return settled;

  const step = transition(
    device,
    { status: 'active', owner: uid },
    { action: 'claim', actor: { kind: 'user', uid }, reason: undefined },
  );
  const write = await store.commit(step, rules.aliveCheck, now);
  if (write.written) return { outcome: 'claimed', device, claimedAt: isoTime(now) };
  if (write.account === 'deleted') return { outcome: 'account_deleted' };
  // The device changed in between. This very user may have claimed it, on another phone or by a repeated request. If it
  // is still free, something else has changed, possibly its claim code, so everything is checked again.
  const taken = write.device === undefined ? undefined : settledOwnership(write.device, uid);
  return taken ?? OVERTAKEN;
}

/** Decides by the device's state alone; undefined for a free device. */
function settledOwnership(device: Device, uid: Uid): ClaimOutcome | undefined {
  if (device.status !== 'active') return { outcome: 'not_claimable' };
  if (device.owner === null) return undefined;
  if (device.owner.uid !== uid) return { outcome: 'already_claimed' };
  return { outcome: 'already_owned', device, claimedAt: device.owner.claimedAt };
}

/**
 * A nonce from `POST /claimChallenge` is valid for one user, one device and its current revision. A claim is written
 * only if the device still has the revision that was read, and raises it. So no nonce works twice, and none has to be
 * stored.
 */
export function claimPurpose(uid: Uid, serial: Serial, device: Device | undefined): NoncePurpose {
  return { purpose: 'claim', subject: `${uid}|${serial}|${device?.revision ?? 0}` };
}

function isSignedBy(device: Device | undefined, { nonce, signature }: SignedNonce): boolean {
  const known = device?.publicKey ?? undefined;
  const key = parseDeviceKey(known ?? NOBODYS_KEY);
  const message = claimMessage({ nonce, hwId: device?.hwId ?? '' });
  return key !== undefined && isSignedByDevice(key, message, signature) && known !== undefined;
}

/** Stands in for a missing device or key (the first example of RFC 8032), so that the check takes the same time. */
const NOBODYS_KEY = '11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=';

async function checkProof(
  device: Device | undefined,
  { serial, claimCode: typed, signedNonce }: ClaimRequest,
  uid: Uid,
  rules: Pick<ClaimRules, 'claimProof' | 'nonces' | 'codes'>,
): Promise<'good' | 'claim_proof_required' | 'claim_proof_invalid'> {
  if (signedNonce !== undefined) {
    const isOurs = await rules.nonces.isGood(signedNonce.nonce, claimPurpose(uid, serial, device));
    return isSignedBy(device, signedNonce) && isOurs ? 'good' : 'claim_proof_invalid';
  }
  if (typed === undefined) return rules.claimProof === 'required' ? 'claim_proof_required' : 'good';
  const code = parseClaimCode(typed);
  // Known to be mistyped without reading any device.
  if (code === undefined) return 'claim_proof_invalid';
  const stored = device?.claimCode ?? undefined;
  const isRight = await rules.codes.isHashOf(code, stored, { purpose: 'claim', hwId: device?.hwId });
  return isRight ? 'good' : 'claim_proof_invalid';
}
