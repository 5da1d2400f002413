import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isBuildFresh, keptBuild } from '../../../tools/cli/kept-build.ts';

let folder: string;
let file: string;
// In the project, as the kept ones are: a record tells of files by their path in it.
beforeAll(async () => {
  folder = await mkdtemp(path.join('node_modules', 'kept-build-test-'));
  file = await build();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const build = () => keptBuild('tools/bench-trend.ts', path.resolve(folder), { sourcemap: 'linked' });
const changed = async () => (await stat(file)).mtimeMs;

describe('a build that is kept', () => {
  it('is taken again while nothing has changed, with its source map, and is made anew when it is gone', async () => {
    const before = await changed();
    expect(await build()).toBe(file);
    expect(await changed()).toBe(before);
    expect(await readFile(file, 'utf8')).toMatch(/sourceMappingURL=bench-trend\.mjs\.map\s*$/);
    // Found from wherever it is copied to.
    const { sources } = JSON.parse(await readFile(`${file}.map`, 'utf8'));
    expect(sources).toContain(pathToFileURL('tools/bench-trend.ts').href);
    expect(sources.every((source: string) => existsSync(new URL(source)))).toBe(true);
    await rm(file);
    await build();
    expect(await changed()).toBeGreaterThan(before);
  });

  it.each<readonly [string, string, ((text: string) => string) | undefined]>([
    [
      'one of its sources is another',
      '.made-of.json',
      (text) => JSON.stringify({ ...JSON.parse(text), 'tools/bench-trend.ts': '1 1' }),
    ],
    ['a source of it is gone', '.made-of.json', () => '{"tools/gone.ts":"1 1"}'],
    ['the record is no JSON', '.made-of.json', () => '{'],
    ['there is no record', '.made-of.json', undefined],
    ['it has been written anew', '', (text) => text],
    ['its source map has been removed', '.map', undefined],
  ])('is not taken again when %s', async (_what, ending, spoil) => {
    expect(await isBuildFresh(file)).toBe(true);
    const [part, aside] = [`${file}${ending}`, `${file}.aside`];
    await rename(part, aside);
    if (spoil !== undefined) await writeFile(part, spoil(await readFile(aside, 'utf8')));
    expect(await isBuildFresh(file)).toBe(false);
    await rename(aside, part);
  });
});
