import type { McubootVersion } from '../../release-format/mcuboot-header.ts';
import { type ImageFault, type ParsedImage, parseImage } from '../../release-format/mcuboot-image.ts';
import { imageFault, type TrustedKey } from '../../release-format/verify-image.ts';
import type { FlashArea } from '../flash/flash-area.ts';
import type { Slots } from '../flash/layout.ts';
import { continueSwap, interruptedSwap, largestImageForMove, startSwap } from './swap-move.ts';
import { decideSwapType } from './swap-type.ts';
import { eraseTrailer, readTrailer, type SwapType } from './trailer.ts';

export interface BootloaderOptions {
  readonly keys: readonly TrustedKey[];
  /** `MCUBOOT_DOWNGRADE_PREVENTION`: an image older than the running one is erased; an equal one passes. */
  readonly preventDowngrade?: boolean;
}

export interface BootReport {
  /** What was done on the way: an update refused because of its image counts as none. */
  readonly swapped: SwapType;
  /** The image that now runs; undefined when there is none that may: the device stays in the bootloader. */
  readonly running: ParsedImage | undefined;
  /** Why the marked image was not taken, when it was not. */
  readonly refused?: ImageFault | 'downgrade';
  /** Whether a swap that a reset had cut off was finished first. */
  readonly resumed: boolean;
}

type Validity = { readonly ok: true; readonly image: ParsedImage } | { readonly ok: false; readonly fault: ImageFault };

/** One pass of the bootloader, from reset to the jump into the application (facts sheet, E5 and F3). */
export function boot(slots: Slots, options: BootloaderOptions): BootReport {
  const unfinished = interruptedSwap(slots);
  if (unfinished !== undefined) {
    continueSwap(slots, unfinished.sizeBytes);
    return { swapped: unfinished.type, running: runnable(slots, options), resumed: true };
  }
  const wanted = decideSwapType(readTrailer(slots.primary), readTrailer(slots.secondary));
  if (wanted === 'none') return { swapped: 'none', running: runnable(slots, options), resumed: false };

  const candidate = validate(slots.secondary, options);
  const refused = candidate.ok ? downgrade(slots, candidate.image, wanted, options) : candidate.fault;
  if (!candidate.ok || refused !== undefined) {
    // A slot with no image only loses its mark; a bad image is erased whole, so that it is never tried again.
    if (refused === 'no_image') eraseTrailer(slots.secondary);
    else slots.secondary.eraseAll();
    return { swapped: 'none', running: runnable(slots, options), resumed: false, ...(refused && { refused }) };
  }
  const current = parseImage((offset, length) => slots.primary.read(offset, length), slots.primary.sizeBytes);
  const sizeBytes = Math.max(candidate.image.sizeBytes, current.ok ? current.image.sizeBytes : 0);
  startSwap(slots, wanted, sizeBytes);
  return { swapped: wanted, running: runnable(slots, options), resumed: false };
}

/** `BOOT_VALIDATE_SLOT0`: the primary is checked at every boot; a bad one does not run. */
function runnable(slots: Slots, options: BootloaderOptions): ParsedImage | undefined {
  const result = validate(slots.primary, options);
  return result.ok ? result.image : undefined;
}

function validate(slot: FlashArea, options: BootloaderOptions): Validity {
  const parsed = parseImage((offset, length) => slot.read(offset, length), slot.sizeBytes);
  if (!parsed.ok) return parsed;
  const fault = imageFault(parsed.image, options.keys, largestImageForMove(slot));
  return fault === undefined ? { ok: true, image: parsed.image } : { ok: false, fault };
}

function downgrade(
  slots: Slots,
  candidate: ParsedImage,
  wanted: SwapType,
  options: BootloaderOptions,
): 'downgrade' | undefined {
  // A revert may always go back (facts sheet, F4).
  if (options.preventDowngrade !== true || wanted === 'revert') return undefined;
  const current = parseImage((offset, length) => slots.primary.read(offset, length), slots.primary.sizeBytes);
  if (!current.ok) return undefined;
  return compareVersions(candidate.header.version, current.image.header.version) < 0 ? 'downgrade' : undefined;
}

/** Major, minor, revision; MCUboot leaves the build number out unless it is told otherwise. */
export function compareVersions(a: McubootVersion, b: McubootVersion): number {
  return a.major - b.major || a.minor - b.minor || a.revision - b.revision;
}
