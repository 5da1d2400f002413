import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { swapUsingMove } from '../../../firmware-sim/bootloader/swap-move.ts';
import { createProductFlash, type FlashMap } from '../../../firmware-sim/flash/layout.ts';
import {
  type CborMap,
  type CborValue,
  decodeFields,
  encodeDefinite,
  encodeIndefinite,
} from '../../../firmware-sim/smp/cbor.ts';
import { decodeSmpHeader, encodeSmpHeader, SMP_HEADER_BYTES } from '../../../firmware-sim/smp/header.ts';
import { confirmRunning, imageGroup } from '../../../firmware-sim/smp/image-group.ts';
import { osGroup } from '../../../firmware-sim/smp/os-group.ts';
import { SmpServer } from '../../../firmware-sim/smp/server.ts';

interface Vector {
  readonly name: string;
  readonly direction: string;
  readonly hex: string;
  readonly header: {
    op: number;
    version: number;
    flags: number;
    length: number;
    group: number;
    sequence: number;
    command: number;
  };
}

const vectors: Vector[] = JSON.parse(readFileSync('test/fixtures/smp/smp-vectors.json', 'utf8'));
const images: Record<string, { hex: string }> = JSON.parse(
  readFileSync('test/fixtures/smp/smp-image-vectors.json', 'utf8'),
);
const frame = (name: string) => {
  const vector = vectors.find((one) => one.name === name);
  if (vector === undefined) throw new Error(`no vector ${name}`);
  return Buffer.from(vector.hex, 'hex');
};
const image = (name: string) => Buffer.from(images[name]?.hex ?? '', 'hex');
const OLD = image('ecdsa_p256_1.0.0');
const NEW = image('ecdsa_p256_1.1.0+7');

/** The server of the vectors: Zephyr's smp_svr with both groups, in mode "swap using scratch". */
function server(slots: FlashMap, canonical = false): SmpServer {
  const os = osGroup({
    bufferBytes: 2475,
    bufferCount: 4,
    bootloaderMode: 1,
    preventsDowngrade: false,
    reset: () => {},
    info: { s: 'Zephyr', r: 'v4.1.0' },
  });
  return new SmpServer({ groups: [os, imageGroup(slots)], bufferBytes: 2475, canonical });
}

function slotsWith(secondary: Uint8Array | undefined): FlashMap {
  const slots = createProductFlash();
  slots.primary.write(0, OLD);
  if (secondary !== undefined) slots.secondary.write(0, secondary);
  return slots;
}

function answers(slots: FlashMap, request: string, canonical = false): string[] {
  return server(slots, canonical)
    .handle(frame(request))
    .map((bytes) => Buffer.from(bytes).toString('hex'));
}

/** What was decoded, as what is to be encoded. */
function asMap(fields: unknown): CborMap {
  const value = (from: unknown): CborValue => {
    if (from instanceof Map) return asMap(from);
    if (Array.isArray(from)) return from.map(value);
    if (typeof from === 'string' || typeof from === 'number' || typeof from === 'boolean') return from;
    if (from instanceof Uint8Array) return from;
    throw new Error(`no vector holds a ${typeof from}`);
  };
  if (!(fields instanceof Map)) throw new Error('a payload is a map');
  return Object.fromEntries([...fields].map(([key, one]) => [String(key), value(one)]));
}

const expected = (name: string) => [frame(name).toString('hex')];

describe('the verified frames', () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))('%s: header and payload decode', (_name, vector) => {
    const bytes = Buffer.from(vector.hex, 'hex');
    expect(decodeSmpHeader(bytes)).toEqual(vector.header);
    expect(Buffer.from(encodeSmpHeader(vector.header))).toEqual(bytes.subarray(0, SMP_HEADER_BYTES));
    if (vector.header.length > 0) expect(decodeFields(bytes.subarray(SMP_HEADER_BYTES))).toBeDefined();
  });

  // Those of zcbor's canonical build, and one that a client sends wrong on purpose, have another form.
  const written = vectors.filter(({ header, name }) => header.length > 0 && !name.includes('canonical'));

  it.each(written.map((vector) => [vector.name, vector] as const))('%s: is written byte by byte', (_name, vector) => {
    const payload = Buffer.from(vector.hex, 'hex').subarray(SMP_HEADER_BYTES);
    const encode = vector.direction === 'client->server' ? encodeDefinite : encodeIndefinite;
    expect(Buffer.from(encode(asMap(decodeFields(payload))))).toEqual(payload);
  });

  it.each([
    ['echo_request', 'echo_response'],
    ['params_request', 'params_response'],
    ['bootloader_info_request', 'bootloader_info_response'],
    ['bootloader_mode_request', 'bootloader_mode_response'],
    ['os_info_request', 'os_info_response'],
    ['image_state_read_request_v2', 'image_state_read_response_v2_two_slots'],
    ['image_state_read_request_v1', 'image_state_read_response_v1_two_slots'],
    ['image_test_request', 'image_test_response'],
    ['image_confirm_other_request', 'image_confirm_other_response'],
    ['slot_info_request', 'slot_info_response'],
    ['erase_request', 'erase_response'],
    ['reset_request', 'reset_response'],
    ['image_test_unknown_hash_request', 'error_v2_group_hash_not_found'],
    ['image_test_unknown_hash_request_v1', 'error_v1_hash_not_found'],
    ['unknown_command_request', 'error_rc_not_supported'],
    ['too_new_version_request', 'error_rc_version_too_new'],
    ['upload_bad_type_request', 'error_rc_invalid'],
  ])('%s is answered with the bytes of %s', (request, response) => {
    expect(answers(slotsWith(NEW), request)).toEqual(expected(response));
  });

  it('an empty slot is left out of the list', () => {
    expect(answers(slotsWith(undefined), 'image_state_read_request_v2')).toEqual(
      [frame('image_state_read_response_v2_slot1_empty')].map((bytes) => {
        const copy = Buffer.from(bytes);
        copy.writeUInt8(frame('image_state_read_request_v2').readUInt8(6), 6);
        return copy.toString('hex');
      }),
    );
  });

  it('a server built for canonical CBOR answers with definite lengths', () => {
    expect(answers(slotsWith(NEW), 'echo_request', true)).toEqual(expected('echo_response_canonical'));
  });

  it('an upload goes chunk by chunk, repeats a lost answer, and resumes by its SHA', () => {
    const slots = slotsWith(undefined);
    const smp = server(slots);
    const say = (request: string) => smp.handle(frame(request)).map((bytes) => Buffer.from(bytes).toString('hex'));
    expect(say('upload_first_chunk')).toEqual(expected('upload_first_response'));
    expect(say('upload_second_chunk')).toEqual(expected('upload_second_response'));
    expect(say('upload_repeated_chunk')).toEqual(expected('upload_repeated_response'));
    expect(say('upload_resume_request')).toEqual(expected('upload_resume_response'));
    expect(say('upload_last_chunk')).toEqual(expected('upload_last_response_match'));
    expect(Buffer.from(slots.secondary.read(0, NEW.length))).toEqual(NEW);
  });

  it('a trial shows as active and unconfirmed, then confirmed', () => {
    const slots = slotsWith(NEW);
    swapUsingMove.install(slots, 'test', { primary: OLD.length, secondary: NEW.length });
    expect(answers(slots, 'state_after_test_boot_request')).toEqual(expected('state_after_test_boot_response'));
    expect(answers(slots, 'image_confirm_active_request')).toEqual(expected('image_confirm_active_response'));
  });

  it('while a trial runs its fallback is not overwritten, in either version of the protocol', () => {
    const slots = slotsWith(NEW);
    swapUsingMove.install(slots, 'test', { primary: OLD.length, secondary: NEW.length });
    expect(answers(slots, 'upload_first_chunk_no_slot_v1')).toEqual(expected('error_v1_no_free_slot'));
    const [answer = ''] = answers(slots, 'upload_first_chunk');
    expect(answer.slice(16)).toBe(frame('error_v2_no_free_slot').toString('hex').slice(16));
    const [erase = ''] = answers(slots, 'erase_request');
    expect(erase.slice(16)).toBe(frame('error_v2_no_free_slot').toString('hex').slice(16));
    confirmRunning(slots);
    expect(answers(slots, 'erase_request')).toEqual(expected('erase_response'));
  });
});

describe('hostile packets', () => {
  it('never make the server fail, and every answer is well-formed', () => {
    const slots = slotsWith(NEW);
    const smp = server(slots);
    const anything = fc.uint8Array({ maxLength: 120 });
    const damaged = fc
      .tuple(
        fc.constantFrom(...vectors.filter(({ direction }) => direction.startsWith('client'))),
        fc.nat(),
        fc.nat({ max: 255 }),
      )
      .map(([vector, at, value]) => {
        const bytes = Buffer.from(vector.hex, 'hex');
        bytes.writeUInt8(value, at % bytes.length);
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(anything, damaged), (packet) => {
        for (const answer of smp.handle(packet)) {
          const header = decodeSmpHeader(answer);
          expect(header?.length).toBe(answer.byteLength - SMP_HEADER_BYTES);
          expect([1, 3]).toContain(header?.op);
          expect(decodeFields(answer.subarray(SMP_HEADER_BYTES))).toBeDefined();
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('shorter than a header are not answered, and shorter than they say are corrupt', () => {
    const smp = server(slotsWith(NEW));
    expect(smp.handle(Uint8Array.of(0, 0, 0, 1, 0, 0, 0))).toEqual([]);
    const [answer] = smp.handle(frame('echo_request').subarray(0, 12));
    expect(decodeFields((answer ?? new Uint8Array()).subarray(SMP_HEADER_BYTES))?.get('rc')).toBe(9);
  });

  it('several in one buffer are answered in order, until the first that fails', () => {
    const smp = server(slotsWith(NEW));
    const three = Buffer.concat([frame('echo_request'), frame('params_request'), frame('echo_request')]);
    expect(smp.handle(three).map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual([
      ...expected('echo_response'),
      ...expected('params_response'),
      ...expected('echo_response'),
    ]);
    const broken = Buffer.concat([frame('unknown_command_request'), frame('echo_request')]);
    expect(smp.handle(broken)).toHaveLength(1);
  });

  it('with an answer longer than a buffer get rc 7', () => {
    const smp = new SmpServer({ groups: [imageGroup(slotsWith(NEW))], bufferBytes: 60 });
    const [answer] = smp.handle(frame('image_state_read_request_v2'));
    expect(decodeFields((answer ?? new Uint8Array()).subarray(SMP_HEADER_BYTES))?.get('rc')).toBe(7);
  });
});
