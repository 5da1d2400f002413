import type { HwId } from '../../platform/ids.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import type { Actor } from '../audit/audit.ts';
import type { Device } from '../device/device.ts';
import { transition } from '../device/lifecycle.ts';
import type { FleetStore } from '../device/store.ts';
import { type ClaimCode, createClaimCode } from '../ownership/claim-code.ts';
import type { CodeHashes } from '../ownership/code-hashes.ts';

export type ReissueOutcome =
  | { readonly outcome: 'reissued'; readonly device: Device; readonly code: ClaimCode }
  | { readonly outcome: 'device_not_found' | 'already_claimed' };

/**
 * Issues a new claim code for a device without an owner, when the first one was lost with its answer or label. The old
 * code stops working.
 */
export async function reissueClaimCode(
  store: FleetStore,
  { randomness, codes }: Pick<Services, 'randomness'> & { readonly codes: CodeHashes },
  request: { readonly hwId: HwId; readonly actor: Actor; readonly reason: string | undefined },
  now: number,
): Promise<ReissueOutcome> {
  const { hwId, actor, reason } = request;
  const code = createClaimCode(randomness);
  const claimCode = await codes.hash(code, { purpose: 'claim', hwId });
  return store.whileOvertaken(`The new claim code of ${hwId}`, async () => {
    const device = await store.readDevice(hwId);
    if (device === undefined) return { outcome: 'device_not_found' };
    if (device.owner !== null) return { outcome: 'already_claimed' };
    const step = transition(
      device,
      { status: device.status, owner: null },
      { action: 'claim_code_reissued', actor, reason },
      { changes: { claimCode } },
    );
    return (await store.commit(step, undefined, now)).written ? { outcome: 'reissued', device, code } : OVERTAKEN;
  });
}
