import { MAX_JSON_VALUES } from '@autowatering/relay-protocol';
import { describe, expect, it } from 'vitest';
import { readPeerFrame } from '../../../src/relay/frames/read-peer-frame.ts';

const event = { event_id: 'e-1', type: 'zone.renamed', payload: { name: 'Beds' }, sent_at: 1_763_640_000_000 };
const publish = { type: 'publish', id: 1, stream: 'zones', client_seq: 1, events: [event] };
const withEvent = (change: object) => ({ ...publish, events: [{ ...event, ...change }] });
const read = (frame: unknown) => readPeerFrame(typeof frame === 'string' ? frame : JSON.stringify(frame));

const good: readonly (readonly [string, object])[] = [
  ['the smallest publish', publish],
  [
    'twenty events',
    { ...publish, events: Array.from({ length: 20 }, (_, index) => ({ ...event, event_id: `e${index}` })) },
  ],
  [
    'a key, a lifetime and a condition',
    { ...withEvent({ key: 'zone/Ünter den Linden 🌳', ttl_seconds: 1 }), if_seq: 0 },
  ],
  ['any JSON as payload', withEvent({ payload: [null, true, -0.5, 'a', {}] })],
  ['null as payload', withEvent({ payload: null })],
  ['a payload of just 16 KiB', withEvent({ payload: 'x'.repeat(16_382) })],
  ['a name of an object’s prototype', withEvent({ payload: JSON.parse('{"__proto__":{"constructor":1}}') })],
  ['all streams', { type: 'subscribe', id: 0, streams: '*' }],
  ['a subscription from a seq', { type: 'subscribe', id: 1, streams: [{ stream: 'a', epoch: 'e', after: 0 }] }],
  ['the largest replay', { type: 'replay', id: 1, stream: 'a', epoch: 'e', after: 0, limit: 1000, continuation: 'c' }],
];

const bad: readonly (readonly [string, unknown])[] = [
  ['no events', { ...publish, events: [] }],
  [
    '21 events',
    { ...publish, events: Array.from({ length: 21 }, (_, index) => ({ ...event, event_id: `e${index}` })) },
  ],
  ['one event twice', { ...publish, events: [event, event] }],
  ['a stream in capitals', { ...publish, stream: 'Zones' }],
  ['a stream of 65 characters', { ...publish, stream: 'a'.repeat(65) }],
  ['client_seq 0', { ...publish, client_seq: 0 }],
  ['client_seqs beyond what counts exactly', { ...publish, client_seq: Number.MAX_SAFE_INTEGER }],
  ['a fractional id', { ...publish, id: 1.5 }],
  ['a negative if_seq', { ...publish, if_seq: -1 }],
  ['if_seq null', { ...publish, if_seq: null }],
  ['a field too many', { ...publish, more: 1 }],
  ['a field too many in an event', withEvent({ seq: 1 })],
  ['an event id with a space', withEvent({ event_id: 'a b' })],
  ['an empty key', withEvent({ key: '' })],
  ['a key of 129 characters', withEvent({ key: 'x'.repeat(129) })],
  ['a key with a line break', withEvent({ key: 'a\nb' })],
  ['a lifetime of no seconds', withEvent({ ttl_seconds: 0 })],
  ['a lifetime of more than a year', withEvent({ ttl_seconds: 366 * 86_400 })],
  ['a payload of more than 16 KiB', withEvent({ payload: 'ü'.repeat(8_192) })],
  ['no payload', { ...publish, events: [{ event_id: 'e', type: 'a', sent_at: 1 }] }],
  ['a number that overflows', JSON.stringify(publish).replace('"Beds"', '1e400')],
  ['an unpaired surrogate', JSON.stringify(publish).replace('Beds', '\\ud800')],
  ['an unpaired surrogate in a name', JSON.stringify(publish).replace('name', '\\udfff')],
  ['deep nesting', JSON.stringify(publish).replace('"Beds"', `${'['.repeat(40)}${']'.repeat(40)}`)],
  ['too many values', withEvent({ payload: Array.from({ length: MAX_JSON_VALUES }, () => 0) })],
  ['no streams', { type: 'subscribe', id: 1, streams: [] }],
  ['one stream twice', { type: 'subscribe', id: 1, streams: [{ stream: 'a' }, { stream: 'a' }] }],
  ['101 streams', { type: 'subscribe', id: 1, streams: Array.from({ length: 101 }, (_, i) => ({ stream: `s${i}` })) }],
  ['a replay of 1001', { type: 'replay', id: 1, stream: 'a', epoch: 'e', after: 0, limit: 1001 }],
  ['a rekey with a short key', { type: 'rekey', ephemeral_key: 'AAAA' }],
  ['a list', []],
  ['nothing', ''],
  ['no type', { id: 1 }],
  ['a type of the prototype', { type: 'constructor', id: 1 }],
];

describe('a frame in a session', () => {
  it.each(good)('may be %s', (_name, frame) => {
    expect(read(frame)).toEqual({ ok: true, frame });
  });

  it.each(bad)('may not be %s', (_name, frame) => {
    const answer = read(frame);
    expect(answer.ok).toBe(false);
    expect(JSON.stringify(answer)).not.toContain('Beds');
  });

  it('is refused by its id, if that can be read', () => {
    expect(read({ ...publish, events: [] })).toMatchObject({ ok: false, code: 'malformed', id: 1 });
    expect(read({ type: 'sing', id: 3 })).toMatchObject({ ok: false, code: 'unknown_frame', id: 3 });
    expect(read({ type: 'ping', id: 'x' })).not.toHaveProperty('id');
  });
});
