/**
 * The 32-byte header in front of every MCUboot image, little-endian
 * (MCUboot `boot/bootutil/include/bootutil/image.h`). Shared by the backend's publish gate, the release tool and the
 * simulated bootloader; depends on none of them.
 */
export interface McubootHeader {
  readonly loadAddress: number;
  /** Bytes from the image's start to its body; at least 32. */
  readonly headerSize: number;
  /** Bytes of the protected TLV area with its info header; 0 when there is none. */
  readonly protectedTlvSize: number;
  /** Bytes of the body: no header, no TLVs. */
  readonly bodySize: number;
  readonly flags: number;
  readonly version: McubootVersion;
}

export interface McubootVersion {
  readonly major: number;
  readonly minor: number;
  readonly revision: number;
  readonly build: number;
}

export const MCUBOOT_HEADER_BYTES = 32;
export const MCUBOOT_MAGIC = 0x96f3b83d;

export type McubootHeaderResult =
  | { readonly ok: true; readonly header: McubootHeader }
  | { readonly ok: false; readonly fault: 'too_short' | 'bad_magic' | 'bad_header_size' };

export function parseMcubootHeader(bytes: Uint8Array): McubootHeaderResult {
  if (bytes.byteLength < MCUBOOT_HEADER_BYTES) return { ok: false, fault: 'too_short' };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MCUBOOT_MAGIC) return { ok: false, fault: 'bad_magic' };
  const headerSize = view.getUint16(8, true);
  if (headerSize < MCUBOOT_HEADER_BYTES) return { ok: false, fault: 'bad_header_size' };
  return {
    ok: true,
    header: {
      loadAddress: view.getUint32(4, true),
      headerSize,
      protectedTlvSize: view.getUint16(10, true),
      bodySize: view.getUint32(12, true),
      flags: view.getUint32(16, true),
      version: {
        major: view.getUint8(20),
        minor: view.getUint8(21),
        revision: view.getUint16(22, true),
        build: view.getUint32(24, true),
      },
    },
  };
}

/** mcumgr's version format: `major.minor.revision`, followed by `.build` if that is not 0. */
export function formatMcubootVersion(version: McubootVersion): string {
  const { major, minor, revision, build } = version;
  const core = `${major}.${minor}.${revision}`;
  return build === 0 ? core : `${core}.${build}`;
}

/** The release version that an image carries, without its build number. */
export function releaseVersionOf(version: McubootVersion): string {
  return `${version.major}.${version.minor}.${version.revision}`;
}

/** The release version of a version that a device reports over mcumgr: `1.1.0.7` is release 1.1.0, build 7. */
export function releaseVersionOfReport(reported: string): string {
  return reported.split('.').slice(0, 3).join('.');
}
