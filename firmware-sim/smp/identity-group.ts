import { type KeyObject, sign } from 'node:crypto';
import { claimMessage, receiptMessage } from '@autowatering/device-proof';
import type { Slots } from '../flash/layout.ts';
import type { CborFields } from './cbor.ts';
import { MGMT } from './errors.ts';
import { textField } from './fields.ts';
import { GROUP } from './header.ts';
import { slotStates } from './image-group.ts';
import type { Command, CommandResult, SmpGroup } from './server.ts';

/** What the factory gave the device: its chip's id, and a key that never leaves it. */
export interface DeviceIdentity {
  readonly hwId: string;
  /** Ed25519 or P-256. */
  readonly privateKey: KeyObject;
}

const LONGEST_NONCE = 200;

/**
 * The product's own group: the device signs challenges of the cloud, relayed by a phone. Command 0 proves its presence
 * (a claim), command 1 reports the running image (a receipt).
 */
export function identityGroup(identity: DeviceIdentity, slots: Slots): SmpGroup {
  const withNonce = (answer: (nonce: string) => CommandResult): Command => ({
    decodes: true,
    run(fields: CborFields) {
      const nonce = textField(fields, 'nonce');
      if (!nonce.ok || nonce.value === undefined || nonce.value.length > LONGEST_NONCE) return { rc: MGMT.invalid };
      return answer(nonce.value);
    },
  });
  const { hwId } = identity;
  return {
    id: GROUP.identity,
    read: {},
    write: {
      0: withNonce((nonce) => ({
        fields: { hw_id: hwId, signature: signed(identity, claimMessage({ nonce, hwId })) },
      })),
      1: withNonce((nonce) => receipt(identity, nonce, slots)),
    },
  };
}

function receipt(identity: DeviceIdentity, nonce: string, slots: Slots): CommandResult {
  const states = slotStates(slots).map(({ slot, hash, active, confirmed, pending }) => ({
    slot,
    hash: Buffer.from(hash).toString('hex'),
    active,
    confirmed,
    pending,
  }));
  const running = states.find(({ active }) => active);
  if (running === undefined) return { rc: MGMT.invalid };
  const { hwId } = identity;
  const message = receiptMessage({ nonce, hwId, imageHash: running.hash, slots: states });
  return { fields: { hw_id: hwId, image_hash: running.hash, slots: states, signature: signed(identity, message) } };
}

function signed({ privateKey }: DeviceIdentity, message: string): Uint8Array {
  const data = Buffer.from(message, 'utf8');
  if (privateKey.asymmetricKeyType === 'ed25519') return sign(null, data, privateKey);
  return sign('sha256', data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
}
