import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  CBOR_LENGTHS,
  type CborLengths,
  type CborMap,
  type CborValue,
  confirmRunning,
  createProductFlash,
  decodeFields,
  decodeSmpHeader,
  encodeDefinite,
  encodeIndefinite,
  encodePacket,
  encodeSmpHeader,
  type FlashMap,
  GROUP,
  imageGroup,
  OP,
  osGroup,
  SMP_HEADER_BYTES,
  SmpServer,
  swapUsingMove,
} from '@autowatering/firmware-sim';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeDefinite, inDefiniteForm } from '../../support/definite-cbor.ts';

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
  /** Byte strings are `{ "$hex": … }`; null for an empty one. */
  readonly payload: unknown;
}

const vectors: Vector[] = JSON.parse(readFileSync('test/fixtures/smp/smp-vectors.json', 'utf8'));
const images: Record<string, { hex: string; header: { ver: string }; tlvs: { type: string; hex: string }[] }> =
  JSON.parse(readFileSync('test/fixtures/smp/smp-image-vectors.json', 'utf8'));
const frame = (name: string) => {
  const vector = vectors.find((one) => one.name === name);
  if (vector === undefined) throw new Error(`no vector ${name}`);
  return Buffer.from(vector.hex, 'hex');
};
const image = (name: string) => Buffer.from(images[name]?.hex ?? '', 'hex');
const OLD = image('ecdsa_p256_1.0.0');
const NEW = image('ecdsa_p256_1.1.0+7');

function zephyrOs() {
  return osGroup({
    bufferBytes: 2475,
    bufferCount: 4,
    bootloaderMode: 1,
    preventsDowngrade: false,
    reset: () => {},
    info: { s: 'Zephyr', r: 'v4.1.0' },
  });
}

/** The vectors' server: Zephyr's smp_svr with both groups, in mode "swap using scratch". */
function server(slots: FlashMap, cbor: CborLengths): SmpServer {
  return new SmpServer({ groups: [zephyrOs(), imageGroup(slots)], bufferBytes: 2475, cbor });
}

function slotsWith(secondary: Uint8Array | undefined): FlashMap {
  const slots = createProductFlash();
  slots.primary.write(0, OLD);
  if (secondary !== undefined) slots.secondary.write(0, secondary);
  return slots;
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** A server's answers to consecutive requests: the vectors' own bytes, or the same with definite lengths. */
function conversation(cbor: CborLengths) {
  const framed = (name: string) => (cbor === 'definite' ? definiteFrame(frame(name)) : frame(name));
  return {
    answers: (slots: FlashMap, request: string) => server(slots, cbor).handle(frame(request)).map(hex),
    expected: (name: string) => [hex(framed(name))],
    framed,
  };
}

function definiteFrame(bytes: Uint8Array): Buffer {
  const payload = inDefiniteForm(bytes.subarray(SMP_HEADER_BYTES));
  const header = Buffer.from(bytes.subarray(0, SMP_HEADER_BYTES));
  header.writeUInt16BE(payload.byteLength, 2);
  return Buffer.concat([header, payload]);
}

/** A decoded payload in the vectors' notation. */
function asJson(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, one: unknown) => (one instanceof Uint8Array ? { $hex: hex(one) } : one)),
  );
}

/** Converts decoded fields to a map for encoding. */
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

describe('the verified frames', () => {
  it.each(vectors.map((vector) => [vector.name, vector] as const))('%s: header and payload decode', (_name, vector) => {
    const bytes = Buffer.from(vector.hex, 'hex');
    expect(decodeSmpHeader(bytes)).toEqual(vector.header);
    expect(Buffer.from(encodeSmpHeader(vector.header))).toEqual(bytes.subarray(0, SMP_HEADER_BYTES));
    if (vector.header.length > 0) expect(decodeFields(bytes.subarray(SMP_HEADER_BYTES))).toBeDefined();
  });

  // Vectors of zcbor's canonical build, and one that a client deliberately sends wrong, have another form.
  const written = vectors.filter(({ header, name }) => header.length > 0 && !name.includes('canonical'));

  it.each(written.map((vector) => [vector.name, vector] as const))('%s: is encoded byte for byte', (_name, vector) => {
    const payload = Buffer.from(vector.hex, 'hex').subarray(SMP_HEADER_BYTES);
    const encode = vector.direction === 'client->server' ? encodeDefinite : encodeIndefinite;
    expect(Buffer.from(encode(asMap(decodeFields(payload))))).toEqual(payload);
  });

  it.each(vectors.filter(({ payload }) => payload !== null).map((vector) => [vector.name, vector] as const))(
    '%s: means the same with definite lengths',
    (_name, { hex: bytes, payload }) => {
      const definite = inDefiniteForm(Buffer.from(bytes, 'hex').subarray(SMP_HEADER_BYTES));
      expect(asJson(decodeDefinite(definite))).toEqual(payload);
    },
  );
});

describe.each(CBOR_LENGTHS)('a server whose CBOR is %s', (cbor) => {
  const { answers, expected, framed } = conversation(cbor);

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

  it('omits an empty slot from the list', () => {
    expect(answers(slotsWith(undefined), 'image_state_read_request_v2')).toEqual(
      [framed('image_state_read_response_v2_slot1_empty')].map((bytes) => {
        const copy = Buffer.from(bytes);
        copy.writeUInt8(frame('image_state_read_request_v2').readUInt8(6), 6);
        return hex(copy);
      }),
    );
  });

  it('takes an upload in chunks, repeats a lost answer, and resumes by SHA', () => {
    const slots = slotsWith(undefined);
    const smp = server(slots, cbor);
    const say = (request: string) => smp.handle(frame(request)).map(hex);
    expect(say('upload_first_chunk')).toEqual(expected('upload_first_response'));
    expect(say('upload_second_chunk')).toEqual(expected('upload_second_response'));
    expect(say('upload_repeated_chunk')).toEqual(expected('upload_repeated_response'));
    expect(say('upload_resume_request')).toEqual(expected('upload_resume_response'));
    expect(say('upload_last_chunk')).toEqual(expected('upload_last_response_match'));
    expect(Buffer.from(slots.secondary.read(0, NEW.length))).toEqual(NEW);
  });

  const genuine = Object.entries(images).filter(([, { hex: bytes }]) => bytes !== undefined);

  it.each(genuine)('takes the image %s in chunks and lists it', (_name, { hex: bytes, header, tlvs }) => {
    const [slots, file] = [slotsWith(undefined), Buffer.from(bytes, 'hex')];
    const smp = server(slots, cbor);
    const ask = (op: 'read' | 'write', command: number, fields: CborMap) => {
      const request = encodePacket(
        { op: OP[op], version: 1, group: GROUP.image, sequence: 1, command },
        encodeDefinite(fields),
      );
      const [answer = new Uint8Array()] = smp.handle(request);
      const payload = answer.subarray(SMP_HEADER_BYTES);
      return asJson(decodeDefinite(cbor === 'definite' ? payload : inDefiniteForm(payload)));
    };
    const sha = createHash('sha256').update(file).digest();
    for (let off = 0; off < file.length; off += 128) {
      const data = file.subarray(off, off + 128);
      const end = off + data.length;
      const answer = ask('write', 1, off === 0 ? { off, data, len: file.length, sha } : { off, data });
      expect(answer).toEqual(end === file.length ? { off: end, match: true } : { off: end });
    }
    expect(hex(slots.secondary.read(0, file.length))).toBe(bytes);
    const version = header.ver.replace('+0', '').replace('+', '.');
    // An image signed as a whole has no SHA-256 that could name it, and is left out.
    const hashes = tlvs.filter(({ type }) => type === '0x10');
    const listed = hashes.map((hash) => ({ slot: 1, version, hash: { $hex: hash.hex } }));
    expect(ask('read', 0, {})).toMatchObject({ images: [{ slot: 0 }, ...listed] });
  });

  it('shows a trial as active and unconfirmed, then confirmed', () => {
    const slots = slotsWith(NEW);
    swapUsingMove.install(slots, 'test', { primary: OLD.length, secondary: NEW.length });
    expect(answers(slots, 'state_after_test_boot_request')).toEqual(expected('state_after_test_boot_response'));
    expect(answers(slots, 'image_confirm_active_request')).toEqual(expected('image_confirm_active_response'));
  });

  it('does not overwrite the fallback during a trial, in either version of the protocol', () => {
    const slots = slotsWith(NEW);
    swapUsingMove.install(slots, 'test', { primary: OLD.length, secondary: NEW.length });
    expect(answers(slots, 'upload_first_chunk_no_slot_v1')).toEqual(expected('error_v1_no_free_slot'));
    const [answer = ''] = answers(slots, 'upload_first_chunk');
    expect(answer.slice(16)).toBe(hex(framed('error_v2_no_free_slot')).slice(16));
    const [erase = ''] = answers(slots, 'erase_request');
    expect(erase.slice(16)).toBe(hex(framed('error_v2_no_free_slot')).slice(16));
    confirmRunning(slots);
    expect(answers(slots, 'erase_request')).toEqual(expected('erase_response'));
  });
});

describe("a server that gets each of the vectors' requests", () => {
  const requests = vectors.filter(({ direction }) => direction === 'client->server');
  const ask = (name: string, cbor: CborLengths) => server(slotsWith(NEW), cbor).handle(frame(name));

  it.each(requests.map(({ name }) => [name]))('%s: answers the same in both forms', (name) => {
    const [[definite], [indefinite]] = [ask(name, 'definite'), ask(name, 'indefinite')];
    if (definite === undefined || indefinite === undefined) throw new Error('a request is answered');
    expect(hex(definite)).toBe(hex(definiteFrame(indefinite)));
    // The shipped app can read only the first.
    expect(decodeDefinite(definite.subarray(SMP_HEADER_BYTES))).toBeTypeOf('object');
    expect(() => decodeDefinite(indefinite.subarray(SMP_HEADER_BYTES))).toThrow('additional info: 31');
  });

  it('answers with definite lengths by default, like the verified frame of a canonical build', () => {
    const byDefault = new SmpServer({ groups: [zephyrOs()], bufferBytes: 2475 });
    expect(byDefault.handle(frame('echo_request')).map(hex)).toEqual([hex(frame('echo_response_canonical'))]);
  });

  it.each([
    ['a map of indefinite length', 'bf6164656f74686572ff', 'other'],
    ['a length in two bytes that fits into one', 'a1616478056f74686572', 'other'],
  ])('accepts %s only from non-canonical firmware', (_what, payload, echoed) => {
    const request = Buffer.from(`0a00000000000100${payload}`, 'hex');
    request.writeUInt16BE(request.length - SMP_HEADER_BYTES, 2);
    const answered = (cbor: CborLengths) => {
      const [answer = new Uint8Array()] = server(slotsWith(NEW), cbor).handle(request);
      return decodeFields(answer.subarray(SMP_HEADER_BYTES));
    };
    expect(answered('definite')).toEqual(new Map([['rc', 3]]));
    expect(answered('indefinite')).toEqual(new Map([['r', echoed]]));
  });
});

describe('hostile packets', () => {
  it('never make the server fail, and every answer is well-formed', () => {
    const slots = slotsWith(NEW);
    const smp = server(slots, 'definite');
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

  it('shorter than a header are not answered, and shorter than announced are corrupt', () => {
    const smp = server(slotsWith(NEW), 'indefinite');
    expect(smp.handle(Uint8Array.of(0, 0, 0, 1, 0, 0, 0))).toEqual([]);
    const [answer] = smp.handle(frame('echo_request').subarray(0, 12));
    expect(decodeFields((answer ?? new Uint8Array()).subarray(SMP_HEADER_BYTES))?.get('rc')).toBe(9);
  });

  it('in one buffer are answered in order, until the first that fails', () => {
    const smp = server(slotsWith(NEW), 'indefinite');
    const three = Buffer.concat([frame('echo_request'), frame('params_request'), frame('echo_request')]);
    const { expected } = conversation('indefinite');
    expect(smp.handle(three).map(hex)).toEqual([
      ...expected('echo_response'),
      ...expected('params_response'),
      ...expected('echo_response'),
    ]);
    const broken = Buffer.concat([frame('unknown_command_request'), frame('echo_request')]);
    expect(smp.handle(broken)).toHaveLength(1);
  });

  it('whose answer exceeds a buffer get rc 7', () => {
    const smp = new SmpServer({ groups: [imageGroup(slotsWith(NEW))], bufferBytes: 60 });
    const [answer] = smp.handle(frame('image_state_read_request_v2'));
    expect(decodeFields((answer ?? new Uint8Array()).subarray(SMP_HEADER_BYTES))?.get('rc')).toBe(7);
  });
});
