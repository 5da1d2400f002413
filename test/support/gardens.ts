import { isHwId, isUid } from '../../src/platform/ids.ts';
import type { Backend } from './backend.ts';
import { fleetOf } from './fleet.ts';
import { newUser } from './tokens.ts';

/** A new owner of a new device, and the calls of the owner's phone. */
export async function newGarden(backend: Backend) {
  const owner = newUser();
  const device = await fleetOf(backend).device({ status: 'active' });
  const claimed = await backend.call('/claimDevice', {
    headers: owner.headers,
    body: { serial: device.serial, claim_code: device.claim_code },
  });
  if (claimed.status !== 200) throw new Error(`claiming answered ${claimed.status}`);
  const { uid } = owner;
  const { hw_id: hwId } = device;
  if (!isUid(uid) || !isHwId(hwId)) throw new Error('the factory or the user pool makes other ids now');
  return {
    ...owner,
    ...{ uid, serial: device.serial, hwId },
    upload: (body: Readonly<Record<string, unknown>>, headers: Readonly<Record<string, string>> = {}) =>
      backend.call('/telemetry', {
        headers: { ...owner.headers, ...headers },
        body: { serial: device.serial, sent_at: backend.clock.now(), ...body },
      }),
  };
}

export type Garden = Awaited<ReturnType<typeof newGarden>>;
