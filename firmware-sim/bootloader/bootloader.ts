import {
  type ImageFault,
  imageFault,
  imageHash,
  type McubootVersion,
  type ParsedImage,
  parseImage,
  securityCounterOf,
  type TrustedKey,
} from '@autowatering/release-format';
import type { FlashArea } from '../flash/flash-area.ts';
import type { FlashMap } from '../flash/layout.ts';
import { type DowngradeRule, isDowngrade, type SecurityCounter, unmetDependency } from './image-rules.ts';
import { swapUsingMove } from './swap-move.ts';
import { decideSwapType } from './swap-type.ts';
import { eraseTrailer, readTrailer, type SwapType } from './trailer.ts';
import type { UpgradeMode } from './upgrade-mode.ts';

export interface BootloaderOptions {
  readonly keys: readonly TrustedKey[];
  /** Default: swap using move. */
  readonly mode?: UpgradeMode;
  /** `MCUBOOT_DOWNGRADE_PREVENTION`: erases an image older than the running one; an equal version passes. */
  readonly preventDowngrade?: DowngradeRule | false;
  /** `MCUBOOT_HW_DOWNGRADE_PREVENTION`: images below this counter don't even run. */
  readonly securityCounter?: SecurityCounter;
  /** MCUboot checks dependencies only in builds with several images (`BOOT_IMAGE_NUMBER`). */
  readonly checksDependencies?: boolean;
}

export interface RunningImage {
  readonly version: McubootVersion;
  /** The image's own hash. */
  readonly hash: Uint8Array;
}

/** Why a marked image was not installed. */
export type Refusal = ImageFault | 'downgrade' | 'security_counter' | 'dependency';

export interface BootReport {
  /** What this boot did. An update refused because of its image counts as `none`. */
  readonly swapped: SwapType;
  /** The running image; undefined when no image may run and the device stays in the bootloader. */
  readonly running: RunningImage | undefined;
  readonly refused?: Refusal;
  /** Whether it first finished a swap that a reset had interrupted. */
  readonly resumed: boolean;
}

type Validity = { readonly ok: true; readonly image: ParsedImage } | { readonly ok: false; readonly fault: Refusal };

/** One pass of the bootloader, from reset to the jump into the application (facts sheet, E5 and F3). */
export function boot(flash: FlashMap, options: BootloaderOptions): BootReport {
  const mode = options.mode ?? swapUsingMove;
  const unfinished = mode.unfinished(flash);
  if (unfinished !== undefined) {
    unfinished.finish();
    return { swapped: unfinished.type, running: runnable(flash, options), resumed: true };
  }
  const wanted = decideSwapType(readTrailer(flash.primary), readTrailer(flash.secondary));
  if (wanted === 'none') return { swapped: 'none', running: runnable(flash, options), resumed: false };

  const candidate = validate(flash.secondary, options);
  const current = imageIn(flash.primary);
  const refused = candidate.ok ? refusal(candidate.image, current, wanted, options) : candidate.fault;
  if (!candidate.ok || refused !== undefined) {
    putAway(flash.secondary, refused);
    return { swapped: 'none', running: runnable(flash, options), resumed: false, ...(refused && { refused }) };
  }
  mode.install(flash, wanted, { primary: current?.sizeBytes ?? 0, secondary: candidate.image.sizeBytes });
  return { swapped: wanted, running: runnable(flash, options), resumed: false };
}

/**
 * A slot without an image only loses its mark. A bad image is erased completely, so that it is never tried again. An
 * image with an unmet dependency stays marked.
 */
function putAway(secondary: FlashArea, refused: Refusal | undefined): void {
  if (refused === 'dependency') return;
  if (refused === 'no_image' || refused === 'not_bootable') eraseTrailer(secondary);
  else secondary.eraseAll();
}

/** `BOOT_VALIDATE_SLOT0`: the primary is checked at every boot; a bad image does not run. */
function runnable(flash: FlashMap, options: BootloaderOptions): RunningImage | undefined {
  const result = validate(flash.primary, options);
  const hash = result.ok ? imageHash(result.image) : undefined;
  if (!result.ok || hash === undefined) return undefined;
  // The counter only rises once nothing can bring back the previous image.
  const isOnTrial = decideSwapType(readTrailer(flash.primary), readTrailer(flash.secondary)) === 'revert';
  if (!isOnTrial) options.securityCounter?.raiseTo(securityCounterOf(result.image) ?? 0);
  return { version: result.image.header.version, hash };
}

function imageIn(slot: FlashArea): ParsedImage | undefined {
  const parsed = parseImage((offset, length) => slot.read(offset, length), slot.sizeBytes);
  return parsed.ok ? parsed.image : undefined;
}

function validate(slot: FlashArea, { keys, mode = swapUsingMove, securityCounter }: BootloaderOptions): Validity {
  const parsed = parseImage((offset, length) => slot.read(offset, length), slot.sizeBytes);
  if (!parsed.ok) return parsed;
  const { image } = parsed;
  const fault = imageFault(image, keys, mode.largestImage(slot));
  if (fault !== undefined) return { ok: false, fault };
  const isBelow = securityCounter !== undefined && (securityCounterOf(image) ?? -1) < securityCounter.value();
  return isBelow ? { ok: false, fault: 'security_counter' } : { ok: true, image };
}

/**
 * Why a valid image may not replace the current one; undefined if it may. A revert is always allowed (facts sheet, F4).
 */
function refusal(
  candidate: ParsedImage,
  current: ParsedImage | undefined,
  wanted: SwapType,
  { preventDowngrade = false, checksDependencies = false }: BootloaderOptions,
): 'downgrade' | 'dependency' | undefined {
  if (wanted === 'revert') return undefined;
  if (checksDependencies && unmetDependency(candidate)) return 'dependency';
  if (preventDowngrade === false || current === undefined) return undefined;
  return isDowngrade(candidate, current, preventDowngrade) ? 'downgrade' : undefined;
}
