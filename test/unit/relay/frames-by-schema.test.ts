import { isDeepStrictEqual } from 'node:util';
import { MAX_FRAME_BYTES, MAX_JSON_DEPTH, PEER_TYPES } from '@autowatering/relay-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type * as z from 'zod';
import { jsonFault } from '../../../src/relay/frames/json-bounds.ts';
import { PEER_FRAMES } from '../../../src/relay/frames/peer-frames.ts';
import { PLAIN_FRAMES } from '../../../src/relay/frames/plain-frames.ts';
import { readPeerFrame } from '../../../src/relay/frames/read-peer-frame.ts';
import { readPlainFrame } from '../../../src/relay/frames/read-plain-frame.ts';

/*
 * Frames are read without the schemas that describe them in docs/asyncapi.json. Here both read the same: good frames,
 * and good frames that were damaged in up to three places.
 */

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((all) => Buffer.from(all).toString('base64url'));
const count = fc.oneof(fc.nat(), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER - 20, Number.MAX_SAFE_INTEGER));
const stream = fc.stringMatching(/^[a-z][a-z0-9._-]{0,63}$/);
const epoch = fc.stringMatching(/^[\w-]{1,40}$/);
const YEAR_SECONDS = 365 * 86_400;
const missing = fc.constant(undefined);
const event = fc.record({
  event_id: fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/),
  type: stream,
  payload: fc.oneof(
    fc.jsonValue(),
    fc.nat(16_384).map((length) => 'x'.repeat(length)),
  ),
  sent_at: count,
  key: fc.oneof(
    missing,
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.constantFrom('a\tb', '\u0085', 'x'.repeat(128), 'ü'.repeat(129)),
  ),
  ttl_seconds: fc.oneof(missing, fc.constantFrom(0, 1, YEAR_SECONDS, YEAR_SECONDS + 1), fc.nat(YEAR_SECONDS)),
});
const id = count;
const optionalCount = fc.oneof(missing, count);
const continuation = fc.oneof(missing, fc.string(), fc.constantFrom('', 'c'.repeat(1_024), 'c'.repeat(1_025)));
const asked = fc.record({ stream, epoch: fc.oneof(missing, epoch), after: optionalCount });

const peerFrame = fc.oneof(
  fc.record({
    ...{ type: fc.constant('publish'), id, stream, if_seq: optionalCount },
    client_seq: fc.oneof(count, fc.constant(1)),
    events: fc.array(event, { maxLength: 21 }),
  }),
  fc.record({ type: fc.constant('subscribe'), id, streams: fc.oneof(fc.constant('*'), fc.array(asked)) }),
  fc.record({
    ...{ type: fc.constant('replay'), id, stream, epoch, after: count, continuation },
    limit: fc.oneof(missing, fc.constantFrom(0, 1, 1_000, 1_001)),
  }),
  fc.record({ type: fc.constant('snapshot'), id, stream, continuation }),
  fc.record({ type: fc.constant('ack'), stream, epoch, seq: count }),
  fc.record({ type: fc.constantFrom('ping', 'peers'), id }),
  fc.record({ type: fc.constant('rekey'), ephemeral_key: bytes(32) }),
);
const plainFrame = fc.oneof(
  fc.record({
    type: fc.constant('client_hello'),
    version: fc.integer(),
    peer_id: fc.uuid(),
    ...{ client_nonce: bytes(32), ephemeral_key: bytes(32), time: count },
    cipher_suites: fc.array(fc.string({ maxLength: 41 }), { maxLength: 9 }),
  }),
  fc.record({ type: fc.constant('client_auth'), session_id: bytes(16), signature: bytes(64), mac: bytes(32) }),
  fc.record({
    g: fc.oneof(fc.nat(), fc.constantFrom(2 ** 32 - 1, 2 ** 32)),
    n: bytes(12),
    c: fc.oneof(bytes(40), fc.string({ unit: fc.constantFrom(...'aZ9_-=+') })),
  }),
);

const hostileValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    '*',
    0,
    -0,
    -1,
    0.5,
    2 ** 53,
    -(2 ** 53),
    1e300,
    [],
    {},
    [[]],
    ...PEER_TYPES,
  ),
  fc.constantFrom('a\n', '\u0000', 'ü'.repeat(129), 'A'.repeat(43), `${'A'.repeat(42)}B`, 'x'.repeat(16_385), '😀'),
  fc.constant('[').map((one) => JSON.parse(one.repeat(MAX_JSON_DEPTH + 1) + ']'.repeat(MAX_JSON_DEPTH + 1))),
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.double(),
);
const hostileName = fc.constantFrom('__proto__', 'constructor', 'toString', 'type', 'id', 'c', 'g', 'more', '');
const damage = fc.record({
  where: fc.nat(),
  how: fc.constantFrom('replace', 'remove', 'add', 'double'),
  name: hostileName,
  value: hostileValue,
});
type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;

/** Changes one value in the frame, itself included. */
function damaged(root: unknown, { where, how, name, value }: Damage): unknown {
  let left = where % sizeOf(root);
  const change = (node: unknown): unknown => {
    const isHere = left === 0;
    left -= 1;
    if (isHere && how === 'replace') return value;
    if (isHere && how === 'remove') return undefined;
    if (Array.isArray(node)) {
      const children = node.map(change).filter((child) => child !== undefined);
      if (isHere && how === 'double') return [...children, ...children];
      return isHere && how === 'add' ? [...children, value] : children;
    }
    if (typeof node !== 'object' || node === null) return node;
    const entries = Object.entries(node).map(([key, child]) => [key, change(child)] as const);
    return Object.fromEntries(isHere && how === 'add' ? [...entries, [name, value]] : entries);
  };
  return change(root);
}

function sizeOf(node: unknown): number {
  if (typeof node !== 'object' || node === null) return 1;
  return Object.values(node).reduce((sum: number, child) => sum + sizeOf(child), 1);
}

const texts = (frame: fc.Arbitrary<unknown>) =>
  fc
    .tuple(frame, fc.array(damage, { maxLength: 3 }))
    .map(([good, damages]) => JSON.stringify(damages.reduce<unknown>(damaged, good)) ?? '');

/** Text as JSON within its bounds, which both ways of reading ask for first. */
function boundedJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return jsonFault(value) === undefined ? { value } : undefined;
  } catch {
    return undefined;
  }
}

function typeOf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'type' in value ? value.type : undefined;
}

function schemaOf<Name extends string>(schemas: Readonly<Record<Name, z.ZodType>>, type: unknown) {
  return Object.entries<z.ZodType>(schemas).find(([name]) => name === type)?.[1];
}

/** Vitest's own comparison takes a field named `constructor` for the object's. */
function expectSame(ours: unknown, theirs: unknown): void {
  expect(isDeepStrictEqual(ours, theirs) ? theirs : ours).toBe(theirs);
}

describe('a frame is read as its schema says', () => {
  it('in a session: same verdict, same value, and the same place named', () => {
    let read = 0;
    fc.assert(
      fc.property(texts(peerFrame), (text) => {
        const given = boundedJson(text);
        const schema = given && schemaOf(PEER_FRAMES, typeOf(given.value));
        fc.pre(given !== undefined && schema !== undefined);
        const ours = readPeerFrame(text);
        const theirs = schema.safeParse(given.value);
        if (theirs.success) {
          read += 1;
          expectSame(ours, { ok: true, frame: theirs.data });
          return;
        }
        expect(ours).toMatchObject({ ok: false, code: 'malformed' });
        const place = theirs.error.issues[0]?.path.join('.') || 'it';
        const named = !ours.ok && /: see (.*)\.$/.exec(ours.message)?.[1];
        // Of alternatives, a schema names the whole; reading says what is wrong with the list.
        expect(place === 'streams' ? String(named).split('.')[0] : named).toBe(place);
      }),
      { numRuns: 1_000 },
    );
    expect(read).toBeGreaterThan(100);
  });

  it('outside of one: same verdict, same value', () => {
    let read = 0;
    fc.assert(
      fc.property(texts(plainFrame), (text) => {
        const given = boundedJson(text);
        fc.pre(
          Buffer.byteLength(text) <= MAX_FRAME_BYTES &&
            typeof given?.value === 'object' &&
            given.value !== null &&
            !Array.isArray(given.value),
        );
        const type = 'type' in given.value ? given.value.type : 'c' in given.value ? 'sealed' : undefined;
        const schema = type === 'sealed' && 'type' in given.value ? undefined : schemaOf(PLAIN_FRAMES, type);
        const theirs = schema?.safeParse(given.value);
        if (theirs?.success === true) read += 1;
        const verdict = theirs === undefined ? 'unknown' : 'malformed';
        expectSame(readPlainFrame(text), theirs?.success ? { kind: type, frame: theirs.data } : { kind: verdict });
      }),
      { numRuns: 1_000 },
    );
    expect(read).toBeGreaterThan(100);
  });
});
