import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type RelayEvent, type ServerFrame, STREAM_NAME } from '@autowatering/relay-protocol';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { readPeerFrame } from '../../../src/relay/frames/read-peer-frame.ts';
import { readPlainFrame } from '../../../src/relay/frames/read-plain-frame.ts';
import { checkServerFrame, SERVER_FRAMES } from '../../../src/relay/frames/server-frames.ts';
import { DOCUMENTED_MESSAGES, documentFaults } from '../../support/relay-document.ts';

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8'));
const document = readJson('docs/asyncapi.json');
const examples = Object.entries(DOCUMENTED_MESSAGES).map(
  ([
    name,
    {
      examples: [one],
    },
  ]) => ({
    name,
    example: JSON.parse(JSON.stringify(one?.payload)),
  }),
);

describe('the AsyncAPI document', () => {
  it('is valid by the official schema of AsyncAPI 3', () => {
    const path = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json');
    const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false });
    const validate = ajv.compile(readJson(path));
    validate(document);
    expect(validate.errors ?? []).toEqual([]);
    expect(validate({ ...document, channels: { broken: { address: 1 } } })).toBe(false);
  });

  it('refers only to what is in it', () => {
    const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#([^"]+)"/g)].map(([, pointer = '']) => pointer);
    const found = (pointer: string) =>
      pointer
        .slice(1)
        .split('/')
        .reduce((value, name) => value?.[name], document);
    expect(refs.length).toBeGreaterThan(80);
    expect(refs.filter((pointer) => found(pointer) === undefined)).toEqual([]);
  });

  it('has every frame of the server, and refuses what the code refuses', () => {
    for (const type of Object.keys(SERVER_FRAMES)) expect(documentFaults(type, { type }), type).not.toEqual([]);
    for (const { name, example } of examples) {
      expect(documentFaults(name, { ...example, surprise: 1 }), name).not.toEqual([]);
    }
  });

  it.each(examples)('has an example of $name that fits and that the code takes', ({ name, example }) => {
    expect(documentFaults(name, example)).toEqual([]);
    const type = Object.keys(SERVER_FRAMES).find((one) => one === name);
    if (type !== undefined || name === 'server_hello') {
      expect(() => checkServerFrame(example)).not.toThrow();
    } else if (name === 'sealed' || name.startsWith('client_')) {
      expect(readPlainFrame(JSON.stringify(example))).toEqual({ kind: name, frame: example });
    } else {
      expect(readPeerFrame(JSON.stringify(example))).toEqual({ ok: true, frame: example });
    }
  });
});

describe('a frame that is about to be sent', () => {
  const event: RelayEvent = examples.find(({ name }) => name === 'event')?.example.event;
  const live: ServerFrame = { type: 'event', stream: 'zones', epoch: 'e', event };

  it('is refused where answers are checked, if it is not as the protocol says', () => {
    expect(() => checkServerFrame(live)).not.toThrow();
    for (const wrong of [
      { ...event, seq: -1 },
      { ...event, ttl_seconds: 5 },
      { ...event, peer_id: 'somebody' },
    ]) {
      expect(() => checkServerFrame({ ...live, event: wrong })).toThrow('The frame event is not as the protocol says');
    }
    expect(STREAM_NAME.test('Zones')).toBe(false);
    expect(() => checkServerFrame({ ...live, stream: 'Zones' })).toThrow();
  });
});
