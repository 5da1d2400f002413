import { isSignedByDevice, parseDeviceKey, receiptMessage } from '@autowatering/device-proof';
import * as z from 'zod';
import type { Device } from '../../fleet/index.ts';
import type { Nonces } from '../../platform/nonces.ts';
import type { Release } from '../registry/release.ts';
import { receiptPurpose } from './receipt-purpose.ts';

const Hash = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');

/** What the device signed, relayed by the phone (`device-proof/messages.ts`). */
export const ReceiptField = z.strictObject({
  nonce: z.string().max(200),
  image_hash: Hash,
  slots: z
    .array(
      z.strictObject({
        slot: z.int().min(0).max(7),
        hash: z.union([Hash, z.literal('')]),
        active: z.boolean(),
        confirmed: z.boolean(),
        pending: z.boolean(),
      }),
    )
    .max(8),
  signature: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9+/_-]+={0,2}$/, 'base64'),
});
export type ReceiptField = z.output<typeof ReceiptField>;

export type ReceiptVerdict = 'verified' | 'no_key' | 'stale_nonce' | 'bad_signature' | 'other_image' | 'not_confirmed';

/** Whether the device itself confirms that it runs that release. */
export async function checkReceipt(
  nonces: Nonces,
  device: Device,
  release: Release,
  receipt: ReceiptField,
): Promise<ReceiptVerdict> {
  const key = device.publicKey === null ? undefined : parseDeviceKey(device.publicKey);
  if (key === undefined) return 'no_key';
  const { nonce, image_hash: imageHash, slots, signature } = receipt;
  if (!(await nonces.isGood(nonce, receiptPurpose(device, release.version)))) return 'stale_nonce';
  const message = receiptMessage({ nonce, hwId: device.hwId, imageHash, slots });
  if (!isSignedByDevice(key, message, signature)) return 'bad_signature';
  if (imageHash !== release.artifact.imageHash) return 'other_image';
  const isConfirmed = slots.some((slot) => slot.active && slot.confirmed && slot.hash === imageHash);
  return isConfirmed ? 'verified' : 'not_confirmed';
}
