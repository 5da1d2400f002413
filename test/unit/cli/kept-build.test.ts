import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isBuildFresh, keptBuild } from '../../../tools/cli/bundle/kept-build.ts';

let folder: string;
let entry: string;
let file: string;
// Inside the project, like real kept builds: a record names files by their project path.
beforeEach(async () => {
  folder = await mkdtemp(path.join('node_modules', 'kept-build-test-'));
  entry = path.join(folder, 'entry.ts');
  await source("export { greeting } from './greeting.ts';");
  await source("export const greeting: string = 'hello';", 'greeting.ts');
  file = await build();
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const build = () => keptBuild(entry, path.resolve(folder, 'kept'), { sourcemap: 'linked' });
const changed = async () => (await stat(file)).mtimeMs;

/** Writes a source with an age typical of sources. */
async function source(text: string, name = 'entry.ts', at = Date.now() - 60_000): Promise<void> {
  await writeFile(path.join(folder, name), text);
  await utimes(path.join(folder, name), at / 1000, at / 1000);
}

describe('a kept build', () => {
  it('is reused while nothing has changed, and rebuilt when it is missing', async () => {
    const before = await changed();
    expect(await build()).toBe(file);
    expect(await changed()).toBe(before);
    await rm(file);
    await build();
    expect(await changed()).toBeGreaterThan(before);
  });

  it('has a source map whose sources are found from any copy', async () => {
    expect(await readFile(file, 'utf8')).toMatch(/sourceMappingURL=entry\.mjs\.map\s*$/);
    const { sources } = JSON.parse(await readFile(`${file}.map`, 'utf8'));
    expect(sources).toContain(pathToFileURL(path.join(folder, 'greeting.ts')).href);
    expect(sources.every((one: string) => existsSync(new URL(one)))).toBe(true);
  });

  it('is rebuilt when one of its files has changed, however deep', async () => {
    await source("export const greeting: string = 'howdy';", 'greeting.ts', Date.now() - 30_000);
    await build();
    expect(await readFile(file, 'utf8')).toContain('howdy');
    expect(await isBuildFresh(file)).toBe(true);
  });

  it('is not reused when a file was saved during the build', async () => {
    await source("export const greeting: string = 'later';", 'greeting.ts', Date.now() + 60_000);
    await build();
    expect(await readFile(file, 'utf8')).toContain('later');
    expect(await isBuildFresh(file)).toBe(false);
  });

  it('depends on the packages and settings as well', async () => {
    const record = JSON.parse(await readFile(`${file}.made-of.json`, 'utf8'));
    expect(Object.keys(record)).toEqual(expect.arrayContaining(['package-lock.json', 'tsconfig.json']));
  });

  it.each<readonly [string, string, ((text: string) => string) | undefined]>([
    ['a source file is missing', '.made-of.json', () => '{"tools/gone.ts":"1 1"}'],
    ['the record is not JSON', '.made-of.json', () => '{'],
    ['there is no record', '.made-of.json', undefined],
    ['it was rewritten', '', (text) => text],
    ['its source map is missing', '.map', undefined],
  ])('is not reused when %s', async (_what, ending, spoil) => {
    expect(await isBuildFresh(file)).toBe(true);
    const [part, aside] = [`${file}${ending}`, `${file}.aside`];
    await rename(part, aside);
    if (spoil !== undefined) await writeFile(part, spoil(await readFile(aside, 'utf8')));
    expect(await isBuildFresh(file)).toBe(false);
  });
});
