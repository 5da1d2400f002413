import type { McubootVersion } from './mcuboot-header.ts';
import { type ParsedImage, TLV } from './mcuboot-image.ts';

const DEPENDENCY_BYTES = 12;

/** An image that must be present, in that version or a later one. */
export interface ImageDependency {
  readonly image: number;
  readonly atLeast: McubootVersion;
}

/** The signed security counter of an image; undefined if it has none (facts sheet, E2). */
export function securityCounterOf(image: ParsedImage): number | undefined {
  const found = image.protectedTlvs.find(({ type, value }) => type === TLV.securityCounter && value.byteLength === 4);
  return found === undefined ? undefined : view(found.value).getUint32(0, true);
}

/** What an image depends on; undefined if an entry has the wrong size. */
export function dependenciesOf(image: ParsedImage): readonly ImageDependency[] | undefined {
  const entries = image.protectedTlvs.filter(({ type }) => type === TLV.dependency);
  if (entries.some(({ value }) => value.byteLength !== DEPENDENCY_BYTES)) return undefined;
  return entries.map(({ value }) => {
    const bytes = view(value);
    return {
      image: bytes.getUint8(0),
      atLeast: {
        major: bytes.getUint8(4),
        minor: bytes.getUint8(5),
        revision: bytes.getUint16(6, true),
        build: bytes.getUint32(8, true),
      },
    };
  });
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
