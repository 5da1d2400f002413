import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  bytes,
  either,
  exactFields,
  fields,
  flag,
  listOf,
  number,
  oneOf,
  optional,
  orNull,
  parsedText,
  recordOf,
  ShapeError,
  setOf,
  such,
  text,
  textThat,
  wholeNumber,
  withDefault,
} from '../../../src/platform/shapes.ts';

const isShort = (value: string): value is 'short' => value === 'short';
const read = fields({
  name: text,
  count: withDefault(number, 0),
  kind: oneOf(['a', 'b']),
  note: optional(text),
  gone: orNull(text),
  marks: listOf(either(text, number), { atLeast: 1 }),
  settings: withDefault(recordOf(flag), {}),
});
const GOOD = { name: 'x', kind: 'a', gone: null, marks: ['m', 1] };

const placesIn = (run: () => unknown): readonly string[] => {
  try {
    run();
  } catch (error) {
    if (error instanceof ShapeError) return error.places;
    throw error;
  }
  return [];
};

describe('a shape', () => {
  it('of exact fields refuses others, after what is wrong inside', () => {
    const pair = exactFields({ left: text, right: optional(listOf(number, { atMost: 1 })) });
    expect(pair({ left: 'a' })).toStrictEqual({ left: 'a' });
    expect(placesIn(() => pair({ left: 'a', ['constructor']: 1 }))).toEqual(['']);
    expect(placesIn(() => pair(JSON.parse('{"left":"a","__proto__":1}')))).toEqual(['']);
    expect(placesIn(() => pair({ right: [1, 'b'], other: 1 }))).toEqual(['left', 'right.1', '']);
    expect(placesIn(() => pair({ left: 'a', right: [1, 2] }))).toEqual(['right']);
  });

  it('returns the value with defaults and without unknown fields', () => {
    const value = read({ ...GOOD, other: 1, count: undefined });
    expect(value).toStrictEqual({ ...GOOD, count: 0, settings: {} });
    expectTypeOf(value.kind).toEqualTypeOf<'a' | 'b'>();
    expectTypeOf(value).toHaveProperty('note').toEqualTypeOf<string | undefined>();
  });

  it('names the places of all faults, and no values', () => {
    const bad = { name: 1, kind: 'secret', marks: ['m', true], settings: { lamp: 'secret' }, note: null };
    expect(placesIn(() => read(bad))).toEqual(['name', 'kind', 'note', 'gone', 'marks.1', 'settings.lamp']);
    expect(() => read(bad)).toThrow(ShapeError);
    expect(() => read(bad)).not.toThrow(/secret/);
  });

  it.each([
    [text, 1],
    [number, Number.NaN],
    [number, Number.POSITIVE_INFINITY],
    [number, '1'],
    [flag, 'true'],
    [oneOf(['a']), 'b'],
    [oneOf(['a']), undefined],
    [textThat(isShort, 'short'), 'long'],
    [textThat(isShort, 'short'), 1],
    [parsedText((value) => (value === '1' ? 1 : undefined), 'one'), '2'],
    [orNull(text), undefined],
    [withDefault(text, 'x'), null],
    [listOf(text), 'text'],
    [listOf(text, { atLeast: 1 }), []],
    [recordOf(text), ['a']],
    [recordOf(text), null],
    [fields({}), []],
    [fields({ toString: text }), {}],
    [either(text, number), false],
    [wholeNumber(0), -1],
    [wholeNumber(0), 0.5],
    [wholeNumber(0), 2 ** 53],
    [wholeNumber(0, 1), 2],
    [bytes, 'AA'],
    [setOf(text), ['a']],
    [setOf(text), new Set([1])],
    [such(number, (value) => value > 1, 'more than 1'), 1],
  ])('refuses what has another shape (%#)', (shape, value) => {
    expect(() => shape(value)).toThrow(ShapeError);
  });

  it('passes on errors that are not about the shape', () => {
    const broken = parsedText(() => {
      throw new RangeError('a bug');
    }, 'anything');
    expect(() => fields({ a: either(broken, text) })({ a: 'x' })).toThrow(RangeError);
  });
});
