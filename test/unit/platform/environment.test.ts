import { describe, expect, it } from 'vitest';
import { matching, readEnvironment, WEB_ADDRESS } from '../../../src/platform/environment.ts';

const BOUNDS = { min: -1, max: 10 } as const;

describe('an environment variable', () => {
  it.each(['-2', '11', '1.5', '1e1', 'ten', ' 3', '0x1'])('that is “%s” is no whole number from -1 to 10', (value) => {
    const read = readEnvironment({ LIMIT: value });
    expect(read.number('LIMIT', BOUNDS, 5)).toBe(5);
    expect(read.faults).toEqual(['LIMIT: must be a whole number from -1 to 10']);
  });

  it.each(['-1', '0', '10'])('that is “%s” is one', (value) => {
    const read = readEnvironment({ LIMIT: value });
    expect(read.number('LIMIT', BOUNDS, 5)).toBe(Number(value));
    expect(read.faults).toEqual([]);
  });

  it('that is empty counts as absent, as CloudFormation cannot leave one out', () => {
    const read = readEnvironment({ ANY: '' });
    expect(read.number('ANY', BOUNDS, 5)).toBe(5);
    expect(read.optional('ANY', WEB_ADDRESS)).toBeUndefined();
    expect(read.list('ANY')).toEqual([]);
    expect(read.flag('ANY', true)).toBe(true);
    expect(read.choice('ANY', ['a', 'b'], 'b')).toBe('b');
    expect(read.faults).toEqual([]);
    expect(read.required('ANY')).toBe('');
    expect(read.faults).toEqual(['ANY: is missing']);
  });

  it('of another form than it must have is a fault, and all faults are collected', () => {
    const read = readEnvironment({ NAME: 'A', URL: 'ftp://x', FLAG: 'yes', CHOICE: 'c', LIST: 'a, b' });
    read.required('NAME', matching(/^[a-z]$/, 'a lower-case letter'));
    read.optional('URL', WEB_ADDRESS);
    expect(read.flag('FLAG', false)).toBe(false);
    expect(read.choice('CHOICE', ['a', 'b'], 'a')).toBe('a');
    expect(read.list('LIST', { test: (entries) => entries.length > 2, text: 'three entries' })).toEqual(['a', 'b']);
    expect(read.faults.map((fault) => fault.split(':')[0])).toEqual(['NAME', 'URL', 'FLAG', 'CHOICE', 'LIST']);
  });
});
