import { createHash } from 'node:crypto';
import {
  type CborMap,
  describeSmpError,
  type FlashMap,
  IMAGE_ERROR,
  imageGroup,
  osGroup,
  SmpError,
  SmpServer,
  swapUsingMove,
} from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';
import { directClient } from '../../support/direct-client.ts';
import { signedImage, smallSlots } from '../../support/small-slots.ts';

const OLD = signedImage([1, 0, 0], 9_176);
const NEW = signedImage([1, 1, 0], 11_176);
const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

function device(secondary: Uint8Array | null = NEW, externalWriteBlock = 4) {
  const slots: FlashMap = smallSlots({ externalWriteBlock });
  slots.primary.write(0, OLD);
  if (secondary !== null) slots.secondary.write(0, secondary);
  const os = osGroup({
    ...{ bufferBytes: 2475, bufferCount: 4, bootloaderMode: 3, preventsDowngrade: true },
    reset: () => {},
    info: { s: 'Zephyr', r: '1.0.0', o: 'Zephyr' },
  });
  const client = directClient(new SmpServer({ groups: [imageGroup(slots), os], bufferBytes: 2475 }));
  const ask = async (op: 'read' | 'write', group: number, command: number, fields: CborMap = {}) => {
    try {
      return Object.fromEntries(await client.request({ op, group, command, fields }));
    } catch (error) {
      if (!(error instanceof SmpError)) throw error;
      return { group: error.group, rc: error.rc };
    }
  };
  const hashes = async () => {
    const { images } = await ask('read', 1, 0);
    return images.map((image: Map<string, unknown>) => image.get('hash'));
  };
  return {
    slots,
    hashes,
    os: (op: 'read' | 'write', command: number, fields?: CborMap) => ask(op, 0, command, fields),
    state: (fields: CborMap) => ask('write', 1, 0, fields),
    upload: (fields: CborMap) => ask('write', 1, 1, fields),
    erase: (fields: CborMap = {}) => ask('write', 1, 5, fields),
  };
}

const first = (image: Uint8Array, extra: CborMap = {}): CborMap => ({
  off: 0,
  len: image.byteLength,
  data: image.subarray(0, 1024),
  ...extra,
});
const failed = (rc: keyof typeof IMAGE_ERROR) => ({ group: 1, rc: IMAGE_ERROR[rc] });

describe('the state write', () => {
  it('follows the rules with nothing pending', async () => {
    const { state, hashes } = device();
    const [active, other] = await hashes();
    expect(await state({ confirm: false })).toEqual(failed('invalidHash'));
    expect(await state({ hash: Uint8Array.of(1, 2), confirm: false })).toEqual(failed('invalidHash'));
    expect(await state({ hash: Buffer.alloc(32), confirm: true })).toEqual(failed('hashNotFound'));
    expect(await state({ hash: active, confirm: false })).toEqual(failed('settingTestToActiveDenied'));
    expect(await state({ confirm: true })).toHaveProperty('images');
    expect(await state({ hash: 'text', confirm: true })).toEqual({ group: undefined, rc: 3 });
    expect(await state({ hash: other, confirm: false })).toHaveProperty('images');
  });

  it('follows them while a test is pending', async () => {
    const { state, hashes } = device();
    const [active, other] = await hashes();
    await state({ hash: other, confirm: false });
    expect(await state({ hash: other, confirm: false })).toHaveProperty('images');
    expect(await state({ hash: other, confirm: true })).toEqual(failed('alreadyPending'));
    expect(await state({ hash: active, confirm: true })).toEqual(failed('alreadyPending'));
  });

  it('follows them while a permanent image is pending', async () => {
    const { state, hashes } = device();
    const [active, other] = await hashes();
    await state({ hash: other, confirm: true });
    expect(await state({ hash: other, confirm: true })).toHaveProperty('images');
    expect(await state({ hash: other, confirm: false })).toEqual(failed('alreadyPending'));
    expect(await state({ hash: active, confirm: true })).toEqual(failed('alreadyPending'));
    expect(await state({ hash: active, confirm: false })).toEqual(failed('settingTestToActiveDenied'));
  });

  it('follows them during a trial', async () => {
    const { slots, state, hashes } = device();
    swapUsingMove.install(slots, 'test', { primary: OLD.byteLength, secondary: NEW.byteLength });
    const [active, fallback] = await hashes();
    expect(await state({ hash: fallback, confirm: true })).toHaveProperty('images');
    expect(await state({ hash: fallback, confirm: false })).toEqual(failed('alreadyPending'));
    expect(await state({ hash: active, confirm: false })).toEqual(failed('settingTestToActiveDenied'));
    expect(await state({ hash: active, confirm: true })).toHaveProperty('images');
  });

  it('refers to the running image if both slots hold the same one', async () => {
    const { state, hashes } = device(OLD);
    const [active] = await hashes();
    expect(await state({ hash: active, confirm: false })).toEqual(failed('settingTestToActiveDenied'));
  });
});

describe('an upload', () => {
  it('is refused at its first chunk, with the reason', async () => {
    const { upload } = device();
    expect(await upload({ data: NEW.subarray(0, 64) })).toEqual(failed('invalidOffset'));
    expect(await upload({ off: 0, data: NEW.subarray(0, 31), len: 100 })).toEqual(failed('invalidHeader'));
    expect(await upload({ off: 0, data: NEW.subarray(0, 64) })).toEqual(failed('invalidLength'));
    expect(await upload({ off: 0, data: Buffer.alloc(64), len: 100 })).toEqual(failed('invalidHeaderMagic'));
    expect(await upload(first(NEW, { sha: Buffer.alloc(33) }))).toEqual(failed('invalidHash'));
    expect(await upload(first(NEW, { len: 6 * 4096 + 1 }))).toEqual(failed('imageTooLarge'));
    expect(await upload(first(OLD, { upgrade: true }))).toEqual(failed('currentVersionIsNewer'));
    expect(await upload({ off: -1, data: NEW })).toEqual({ group: undefined, rc: 3 });
    expect(await upload({ off: 0, len: 'long', data: NEW })).toEqual({ group: undefined, rc: 3 });
  });

  it('without a session requires a first chunk', async () => {
    const { upload } = device();
    expect(await upload({ off: 512, data: NEW.subarray(512, 600) })).toEqual({ off: 0 });
  });

  it('that exceeds its announced length ends', async () => {
    const { upload } = device();
    await upload(first(NEW));
    expect(await upload({ off: 1024, data: Buffer.alloc(NEW.byteLength) })).toEqual(failed('dataOverrun'));
    expect(await upload({ off: 1024, data: NEW.subarray(1024, 2048) })).toEqual({ off: 0 });
  });

  it('of an image that the slot already holds ends at once', async () => {
    const { upload } = device();
    expect(await upload(first(NEW, { sha: sha(NEW) }))).toEqual({ off: NEW.byteLength, match: true });
  });

  it('of bytes that do not match the announced hash fails at the end', async () => {
    const { upload } = device(null);
    const short = NEW.subarray(0, 1024);
    expect(await upload({ ...first(short), sha: sha(NEW) })).toEqual({ off: 1024, match: false });
  });

  it.each([1, 4])('in chunks of odd lengths arrives complete with write blocks of %d', async (block) => {
    const { slots, upload } = device(null, block);
    let offset = 0;
    for (let size = 33; offset < NEW.byteLength; size = 1 + ((size * 7) % 801)) {
      const data = NEW.subarray(offset, offset + size);
      const answer = await upload(
        offset === 0 ? { off: 0, len: NEW.byteLength, data, upgrade: true } : { off: offset, data },
      );
      offset = answer['off'];
    }
    expect(Buffer.from(slots.secondary.read(0, NEW.byteLength))).toEqual(NEW);
  });

  it('of the same image starts over after an erase', async () => {
    const { upload, erase } = device(null);
    await upload(first(NEW, { sha: sha(NEW) }));
    expect(await upload(first(NEW, { sha: sha(NEW) }))).toEqual({ off: 1024 });
    expect(await erase()).toEqual({});
    expect(await upload({ off: 1024, data: NEW.subarray(1024, 1100) })).toEqual({ off: 0 });
  });
});

describe('erase', () => {
  it('never overwrites the running slot or goes to a missing one', async () => {
    const { erase } = device();
    expect(await erase({ slot: 0 })).toEqual(failed('noFreeSlot'));
    expect(await erase({ slot: 2 })).toEqual(failed('invalidSlot'));
    expect(await erase({ slot: 'one' })).toEqual({ group: undefined, rc: 3 });
    expect(await erase({ slot: 1 })).toEqual({});
  });
});

describe('the OS group', () => {
  it('answers its commands and their errors', async () => {
    const { os } = device();
    expect(await os('read', 0, { d: 'hi' })).toEqual({ r: 'hi' });
    expect(await os('write', 0)).toEqual({ r: '' });
    expect(await os('write', 0, { d: 5 })).toEqual({ group: undefined, rc: 3 });
    expect(await os('read', 7)).toEqual({ output: 'Zephyr' });
    expect(await os('read', 7, { format: 'a' })).toEqual({ output: 'Zephyr 1.0.0 Zephyr' });
    expect(await os('read', 7, { format: 'rs' })).toEqual({ output: 'Zephyr 1.0.0' });
    expect(await os('read', 7, { format: 'x' })).toEqual({ group: 0, rc: 2 });
    expect(await os('read', 7, { format: 1 })).toEqual({ group: undefined, rc: 3 });
    expect(await os('read', 8, { query: 'mode' })).toEqual({ mode: 3, 'no-downgrade': true });
    expect(await os('read', 8, { query: 'colour' })).toEqual({ group: 0, rc: 3 });
    expect(await os('read', 8, { query: 1 })).toEqual({ group: undefined, rc: 3 });
    expect(await os('read', 3)).toEqual({ group: undefined, rc: 8 });
  });
});

describe("a client's description of an error", () => {
  it('names the error if it is known', () => {
    expect(describeSmpError(1, 8)).toBe('image error 8 (hashNotFound)');
    expect(describeSmpError(0, 2)).toBe('OS error 2 (invalidFormat)');
    expect(describeSmpError(undefined, 8)).toBe('SMP error 8 (notSupported)');
    expect(describeSmpError(1, 99)).toBe('image error 99 (unlisted)');
  });
});
