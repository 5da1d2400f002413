import { MCUBOOT_HEADER_BYTES, type McubootHeader, parseMcubootHeader } from './mcuboot-header.ts';

/** TLV types (MCUboot `image.h`; facts sheet, E2). */
export const TLV = {
  keyHash: 0x01,
  sha256: 0x10,
  rsa2048: 0x20,
  ecdsa: 0x22,
  ed25519: 0x24,
  ed25519Pure: 0x25,
  dependency: 0x40,
  securityCounter: 0x50,
} as const;

const PROTECTED_MAGIC = 0x6908;
const UNPROTECTED_MAGIC = 0x6907;
const INFO_BYTES = 4;

export interface Tlv {
  readonly type: number;
  readonly value: Uint8Array;
}

/** A parsed image; nothing in it has been verified. */
export interface ParsedImage {
  readonly header: McubootHeader;
  /** Reads header, padding, body and protected TLVs: the bytes that hash and signature cover (facts sheet, E3). */
  readonly readHashedRegion: () => Uint8Array;
  readonly protectedTlvs: readonly Tlv[];
  readonly tlvs: readonly Tlv[];
  /** Bytes from the start of the header to the end of the last TLV. */
  readonly sizeBytes: number;
}

export type ImageFault =
  | 'no_image'
  | 'bad_header'
  | 'outside_slot'
  | 'no_tlvs'
  | 'bad_tlv_size'
  | 'bad_protected_size'
  | 'tlv_not_allowed'
  | 'not_bootable'
  | 'unsupported_flags'
  | 'too_large'
  | 'no_hash'
  | 'hash_mismatch'
  | 'no_signature'
  | 'unknown_key'
  | 'bad_signature';

export type ParseResult =
  | { readonly ok: true; readonly image: ParsedImage }
  | { readonly ok: false; readonly fault: ImageFault };

/** Returns the bytes at an offset; never called for more than `available`. */
export type ReadBytes = (offset: number, length: number) => Uint8Array;

/** Parses an image that starts at offset 0 of `available` bytes: a file or a slot. */
export function parseImage(read: ReadBytes, available: number): ParseResult {
  if (available < MCUBOOT_HEADER_BYTES) return { ok: false, fault: 'no_image' };
  const start = read(0, MCUBOOT_HEADER_BYTES);
  if (start.every((byte) => byte === 0xff)) return { ok: false, fault: 'no_image' };
  const parsed = parseMcubootHeader(start);
  if (!parsed.ok) return { ok: false, fault: 'bad_header' };
  const { header } = parsed;
  const tlvStart = header.headerSize + header.bodySize;
  const hashedBytes = tlvStart + header.protectedTlvSize;
  if (hashedBytes + INFO_BYTES > available) return { ok: false, fault: 'outside_slot' };

  const readArea = (offset: number, magic: number) => readTlvs(read, available, offset, magic);
  const protectedArea = header.protectedTlvSize === 0 ? undefined : readArea(tlvStart, PROTECTED_MAGIC);
  if (protectedArea !== undefined) {
    if (!protectedArea.ok) return protectedArea;
    if (protectedArea.sizeBytes !== header.protectedTlvSize) return { ok: false, fault: 'bad_protected_size' };
  }
  const area = readArea(hashedBytes, UNPROTECTED_MAGIC);
  if (!area.ok) return area;
  return {
    ok: true,
    image: {
      header,
      readHashedRegion: () => read(0, hashedBytes),
      protectedTlvs: protectedArea?.tlvs ?? [],
      tlvs: area.tlvs,
      sizeBytes: hashedBytes + area.sizeBytes,
    },
  };
}

/** The image's own hash as mcumgr shows it: its only SHA-256 TLV; undefined if it has none or several. */
export function imageHash(image: ParsedImage): Uint8Array | undefined {
  const hashes = image.tlvs.filter(({ type, value }) => type === TLV.sha256 && value.byteLength === 32);
  return hashes.length === 1 ? hashes[0]?.value : undefined;
}

type AreaResult =
  | { readonly ok: true; readonly tlvs: readonly Tlv[]; readonly sizeBytes: number }
  | { readonly ok: false; readonly fault: ImageFault };

function readTlvs(read: ReadBytes, available: number, offset: number, magic: number): AreaResult {
  const info = view(read(offset, INFO_BYTES));
  if (info.getUint16(0, true) !== magic) return { ok: false, fault: 'no_tlvs' };
  const sizeBytes = info.getUint16(2, true);
  if (sizeBytes < INFO_BYTES || offset + sizeBytes > available) return { ok: false, fault: 'bad_tlv_size' };
  const area = read(offset, sizeBytes);
  const tlvs: Tlv[] = [];
  for (let at = INFO_BYTES; at < sizeBytes; ) {
    if (at + INFO_BYTES > sizeBytes) return { ok: false, fault: 'bad_tlv_size' };
    const entry = view(area.subarray(at));
    const length = entry.getUint16(2, true);
    const end = at + INFO_BYTES + length;
    if (end > sizeBytes) return { ok: false, fault: 'bad_tlv_size' };
    tlvs.push({ type: entry.getUint16(0, true), value: area.slice(at + INFO_BYTES, end) });
    at = end;
  }
  return { ok: true, tlvs, sizeBytes };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
