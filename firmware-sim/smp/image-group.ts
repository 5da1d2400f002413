import { formatMcubootVersion, imageHash, type ParsedImage, parseImage } from '@autowatering/release-format';
import { decideSwapType } from '../bootloader/swap-type.ts';
import { readTrailer, type SwapType, writeFlag, writeMagic, writeSwapInfo } from '../bootloader/trailer.ts';
import type { FlashArea } from '../flash/flash-area.ts';
import type { Slots } from '../flash/layout.ts';
import type { CborFields } from './cbor.ts';
import { IMAGE_ERROR, MGMT } from './errors.ts';
import { boolField, bytesField, uintField } from './fields.ts';
import { GROUP } from './header.ts';
import { ImageUpload } from './image-upload.ts';
import type { Command, CommandResult, SmpGroup } from './server.ts';

const NON_BOOTABLE = 0x10;
const HASH_BYTES = 32;
const ACTIVE = 0;
const OTHER = 1;

/**
 * The image group of a device with one image and two slots that runs from slot 0 (facts sheet, C).
 *
 * @param upload state of the current upload
 */
export function imageGroup(slots: Slots, upload: ImageUpload = new ImageUpload(slots.secondary)): SmpGroup {
  const areas = [slots.primary, slots.secondary] as const;

  const stateRead: Command = { decodes: false, run: () => stateList(slots) };
  const stateWrite: Command = { decodes: true, run: (fields) => writeState(slots, fields) };
  const uploadWrite: Command = {
    decodes: true,
    run: (fields) => upload.handle(fields, imageIn(slots.primary)?.header.version, () => isOtherSlotFree(slots)),
  };
  const erase: Command = {
    decodes: true,
    run(fields) {
      const slot = uintField(fields, 'slot');
      if (!slot.ok) return { rc: MGMT.invalid };
      const number = slot.value ?? OTHER;
      if (number !== ACTIVE && number !== OTHER) return { error: IMAGE_ERROR.invalidSlot };
      if (number === ACTIVE || !isOtherSlotFree(slots)) return { error: IMAGE_ERROR.noFreeSlot };
      slots.secondary.eraseAll();
      upload.forget();
      return { fields: {} };
    },
  };
  const slotInfo: Command = {
    decodes: false,
    run: () => ({
      fields: {
        images: [
          {
            image: 0,
            slots: areas.map((area, slot) => ({
              slot,
              size: area.sizeBytes,
              ...(slot === ACTIVE ? {} : { upload_image_id: 0 }),
            })),
          },
        ],
      },
    }),
  };
  return {
    id: GROUP.image,
    read: { 0: stateRead, 6: slotInfo },
    write: { 0: stateWrite, 1: uploadWrite, 5: erase },
  };
}

/** What the next boot would do. */
function pendingSwap(slots: Slots): SwapType {
  return decideSwapType(readTrailer(slots.primary), readTrailer(slots.secondary));
}

/** The application's own confirmation: `boot_write_img_confirmed()` (facts sheet, F3). */
export function confirmRunning(slots: Slots): void {
  const trailer = readTrailer(slots.primary);
  if (trailer.magic === 'good' && trailer.imageOk === 'unset') writeFlag(slots.primary, 'imageOk');
}

function imageIn(area: FlashArea): ParsedImage | undefined {
  const parsed = parseImage((offset, length) => area.read(offset, length), area.sizeBytes);
  return parsed.ok ? parsed.image : undefined;
}

/** An image that a trial may still need as fallback is never overwritten; a pending image may be (Zephyr's default). */
function isOtherSlotFree(slots: Slots): boolean {
  return pendingSwap(slots) !== 'revert';
}

/** An image in a slot, as the state read reports it. */
export interface SlotState {
  readonly slot: number;
  readonly version: string;
  readonly hash: Uint8Array;
  readonly bootable: boolean;
  readonly pending: boolean;
  readonly confirmed: boolean;
  readonly active: boolean;
  readonly permanent: boolean;
}

/** Omits slots without a readable image or without exactly one hash (facts sheet, C1). */
export function slotStates(slots: Slots): readonly SlotState[] {
  const swap = pendingSwap(slots);
  return [slots.primary, slots.secondary].flatMap((area, slot): SlotState[] => {
    const image = imageIn(area);
    const hash = image === undefined ? undefined : imageHash(image);
    if (image === undefined || hash === undefined) return [];
    const active = slot === ACTIVE;
    return [
      {
        slot,
        version: formatMcubootVersion(image.header.version),
        hash,
        bootable: (image.header.flags & NON_BOOTABLE) === 0,
        pending: !active && (swap === 'test' || swap === 'permanent'),
        confirmed: active ? swap !== 'revert' : swap === 'revert',
        active,
        permanent: !active && swap === 'permanent',
      },
    ];
  });
}

function stateList(slots: Slots): CommandResult {
  return { fields: { images: slotStates(slots).map((state) => ({ ...state })), splitStatus: 0 } };
}

function writeState(slots: Slots, fields: CborFields): CommandResult {
  const hash = bytesField(fields, 'hash');
  const confirm = boolField(fields, 'confirm');
  if (!hash.ok || !confirm.ok) return { rc: MGMT.invalid };
  const wantsConfirm = confirm.value ?? false;
  const target = targetSlot(slots, hash.value, wantsConfirm);
  if (typeof target === 'object') return target;
  const error = markSlot(slots, target, wantsConfirm);
  return error === undefined ? stateList(slots) : { error };
}

function targetSlot(slots: Slots, hash: Uint8Array | undefined, confirm: boolean): number | CommandResult {
  if (hash === undefined) return confirm ? ACTIVE : { error: IMAGE_ERROR.invalidHash };
  if (hash.byteLength !== HASH_BYTES) return { error: IMAGE_ERROR.invalidHash };
  // Starts at slot 0: if both slots hold the same image, the running one is meant.
  const slot = [slots.primary, slots.secondary].findIndex((area) => {
    const image = imageIn(area);
    const found = image === undefined ? undefined : imageHash(image);
    return found !== undefined && Buffer.compare(found, hash) === 0;
  });
  return slot === -1 ? { error: IMAGE_ERROR.hashNotFound } : slot;
}

/** The rules of the state write, in Zephyr's order (facts sheet, C3). */
function markSlot(slots: Slots, target: number, confirm: boolean): number | undefined {
  const swap = pendingSwap(slots);
  const active = target === ACTIVE;
  if (active && !confirm) return IMAGE_ERROR.settingTestToActiveDenied;
  switch (swap) {
    case 'test':
      return !active && !confirm ? undefined : IMAGE_ERROR.alreadyPending;
    case 'permanent':
      return !active && confirm ? undefined : IMAGE_ERROR.alreadyPending;
    case 'revert':
      if (!active) return confirm ? undefined : IMAGE_ERROR.alreadyPending;
      confirmRunning(slots);
      return undefined;
    case 'none':
      return active ? undefined : markOther(slots.secondary, confirm);
  }
}

/** `boot_set_next` on the other slot (facts sheet, F5): magic, then image_ok for a permanent one, then swap info. */
function markOther(secondary: FlashArea, confirm: boolean): number | undefined {
  const { magic } = readTrailer(secondary);
  if (magic === 'bad') return IMAGE_ERROR.invalidHeaderMagic;
  if (magic === 'good') return undefined;
  writeMagic(secondary);
  if (confirm) writeFlag(secondary, 'imageOk');
  writeSwapInfo(secondary, confirm ? 'permanent' : 'test');
  return undefined;
}
