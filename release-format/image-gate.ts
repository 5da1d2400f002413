import { releaseVersionOf } from './mcuboot-header.ts';
import { type ImageFault, imageHash, parseImage } from './mcuboot-image.ts';
import { isPrerelease, type ReleaseVersion } from './release-version.ts';
import { imageFault, type TrustedKey } from './verify-image.ts';

/**
 * What fits into the product's 728 KiB slots under swap using move: all pages except one for the move and one for the
 * trailer (facts sheet, G).
 */
export const LARGEST_IMAGE = 737_280;

export type GateVerdict =
  | { readonly good: true; readonly imageHash: string }
  | { readonly good: false; readonly reason: string };

export interface GateRules {
  readonly keys: readonly TrustedKey[];
  /** Without keys for a board, `required` publishes nothing, and `registered` publishes images with a valid hash. */
  readonly signatures: 'required' | 'registered';
}

/** Checks whether an image may be published as that version, as the bootloaders of a thousand devices will check it. */
export function checkImage(bytes: Uint8Array, version: ReleaseVersion, rules: GateRules): GateVerdict {
  const refuse = (reason: string): GateVerdict => ({ good: false, reason });
  if (isPrerelease(version)) return refuse(`an MCUboot image cannot carry the pre-release version ${version}`);
  const parsed = parseImage((offset, length) => bytes.subarray(offset, offset + length), bytes.byteLength);
  if (!parsed.ok) return refuse(FAULTS[parsed.fault]);
  const { image } = parsed;
  const carried = releaseVersionOf(image.header.version);
  if (carried !== version) return refuse(`the image is version ${carried}, the release is ${version}`);
  if (bytes.byteLength > LARGEST_IMAGE) {
    return refuse(`${bytes.byteLength} bytes leave no room for the swap in a 728 KB slot: at most ${LARGEST_IMAGE}`);
  }
  if (bytes.byteLength !== image.sizeBytes) {
    return refuse(`${bytes.byteLength - image.sizeBytes} bytes follow the image: it must end with its last TLV`);
  }
  if (rules.keys.length === 0 && rules.signatures === 'required') {
    return refuse('no signing key is registered for this board (npm run ota:keys)');
  }
  const fault = imageFault(image, rules.keys, LARGEST_IMAGE);
  const isUnsigned = fault !== undefined && SIGNATURE_FAULTS.has(fault);
  if (fault !== undefined && !(isUnsigned && rules.keys.length === 0)) return refuse(FAULTS[fault]);
  const hash = imageHash(image);
  return hash === undefined ? refuse(FAULTS.no_hash) : { good: true, imageHash: Buffer.from(hash).toString('hex') };
}

const SIGNATURE_FAULTS: ReadonlySet<ImageFault> = new Set(['no_signature', 'unknown_key', 'bad_signature']);

const FAULTS: Readonly<Record<ImageFault, string>> = {
  no_image: 'this is not an MCUboot image (it is empty)',
  bad_header: 'this is not an MCUboot image (its header is wrong)',
  outside_slot: 'the image is cut off: its header declares more bytes',
  no_tlvs: 'the image is cut off or not signed: no TLVs follow its body',
  bad_tlv_size: 'the image is cut off: its TLVs declare more bytes',
  bad_protected_size: 'the size of its protected TLVs does not match its header',
  tlv_not_allowed: 'it carries a TLV that the bootloader refuses',
  not_bootable: 'it is marked as not bootable',
  unsupported_flags: 'it is encrypted or compressed, which the bootloader does not support',
  too_large: `it leaves no room for the swap in a 728 KB slot: at most ${LARGEST_IMAGE} bytes`,
  no_hash: 'the image carries no SHA-256',
  hash_mismatch: 'the hash in the image does not match its bytes',
  no_signature: 'the image is not signed with a key that is registered for this board',
  unknown_key: 'the image is signed with a key that is not registered for this board',
  bad_signature: "the image's signature is wrong",
};
