import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import * as deviceData from '../../../device-data/index.ts';
import type { Fields, Structure } from '../../../device-data/structures/structure.ts';

const Values = z.record(z.string(), z.union([z.number(), z.string()]));
const Vectors = z.object({
  vectors: z.array(
    z.object({
      struct: z.string(),
      bytes: z.number(),
      examples: z.array(z.object({ why: z.string(), hex: z.string(), fields: Values })),
    }),
  ),
});
const { vectors } = Vectors.parse(JSON.parse(readFileSync('test/fixtures/device-data/vectors.json', 'utf8')));

const isStructure = (value: unknown): value is Structure<Fields> =>
  typeof value === 'object' && value !== null && 'read' in value && 'write' in value && 'fields' in value;
const structures = new Map(
  Object.values<unknown>(deviceData)
    .filter(isStructure)
    .map((one) => [one.name, one]),
);

/** Our fields in the notation of the vectors: bytes as hex, lists as numbered fields. */
function flat(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]): [string, unknown][] => {
      if (value instanceof Uint8Array) return [[key, Buffer.from(value).toString('hex')]];
      if (Array.isArray(value)) return value.map((one, index) => [`${key}${index}`, one]);
      return [[key, value]];
    }),
  );
}

describe('the structures of the device', () => {
  it('cover every structure of the sheet', () => {
    expect(vectors.map(({ struct }) => struct).filter((name) => !structures.has(name))).toEqual([]);
  });

  for (const { struct, bytes, examples } of vectors) {
    const found = structures.get(struct);
    for (const { why, hex, fields } of examples) {
      it(`${struct} reads and writes: ${why}`, () => {
        expect(found?.bytes).toBe(bytes);
        const read = found?.read(Buffer.from(hex, 'hex'));
        const shown = flat(read ?? {});
        for (const [name, value] of Object.entries(fields)) {
          if (typeof value === 'number') expect(shown[name], name).toBeCloseTo(value, 4);
          else expect(shown[name], name).toBe(value);
        }
        expect(Buffer.from(found?.write(read ?? {}) ?? []).toString('hex')).toBe(hex);
      });
    }
  }

  it('refuse another length', () => {
    for (const one of structures.values()) {
      expect(one.read(new Uint8Array(one.bytes - 1))).toBeUndefined();
      expect(one.read(new Uint8Array(one.bytes + 1))).toBeUndefined();
    }
  });
});
