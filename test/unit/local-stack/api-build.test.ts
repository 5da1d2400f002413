import { mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApi, isBuildFresh } from '../../../tools/local-stack/api-build.ts';

let place: string;
let cache: string;
let built: string;
beforeAll(async () => {
  place = await mkdtemp(path.join(tmpdir(), 'autowatering-api-build-'));
  cache = path.join(place, 'cache');
  built = await buildApi(path.join(place, 'first'), cache);
});
afterAll(() => rm(place, { recursive: true, force: true }));

const BUNDLE = 'local-server.mjs';
const RECORD = 'made-of.json';

describe('the build of the local API', () => {
  it('is taken again while nothing has changed, with its source map, and is made anew when it is gone', async () => {
    const made = (await stat(path.join(cache, BUNDLE))).mtimeMs;
    const second = await buildApi(path.join(place, 'second'), cache);
    expect(second).not.toBe(built);
    expect(await readFile(second, 'utf8')).toBe(await readFile(built, 'utf8'));
    expect(await readFile(`${second}.map`, 'utf8')).toContain('src/local-server.ts');
    expect((await stat(path.join(cache, BUNDLE))).mtimeMs).toBe(made);
    await rm(path.join(cache, BUNDLE));
    await buildApi(path.join(place, 'third'), cache);
    expect((await stat(path.join(cache, BUNDLE))).mtimeMs).toBeGreaterThan(made);
  });

  it.each<readonly [string, string, ((text: string) => string) | undefined]>([
    ['one of its sources is another', RECORD, (text) => JSON.stringify({ ...JSON.parse(text), 'src/app.ts': '1 1' })],
    ['a source of it is gone', RECORD, () => '{"src/gone.ts":"1 1"}'],
    ['the record is no JSON', RECORD, () => '{'],
    ['there is no record', RECORD, undefined],
    ['what is kept has been written anew', BUNDLE, (text) => text],
    ['its source map has been removed', `${BUNDLE}.map`, undefined],
  ])('is not taken again when %s', async (_what, name, spoil) => {
    expect(await isBuildFresh(cache)).toBe(true);
    const [file, aside] = [path.join(cache, name), path.join(place, name)];
    await rename(file, aside);
    if (spoil !== undefined) await writeFile(file, spoil(await readFile(aside, 'utf8')));
    expect(await isBuildFresh(cache)).toBe(false);
    await rename(aside, file);
  });
});
