import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

/** Every way of vitest to leave a test out, in whichever form it is called. */
const LEAVES_OUT = /\.(?:skip|skipIf|runIf|todo|fails)\b|\{\s*skip:\s*/;

describe('the tests', () => {
  it('run all of them everywhere: none is left out for what a machine lacks', () => {
    const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
    expect(files.length).toBeGreaterThan(100);
    const leavingOut = files.filter(
      (name) =>
        name !== path.relative('test', import.meta.filename) &&
        LEAVES_OUT.test(readFileSync(path.join('test', name), 'utf8')),
    );
    expect(leavingOut).toEqual([]);
  });
});
