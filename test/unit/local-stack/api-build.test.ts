import { cp, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
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

  it.each<readonly [string, (spoiled: string) => Promise<void>]>([
    [
      'one of its sources is another',
      async (spoiled) => {
        const record = JSON.parse(await readFile(path.join(spoiled, RECORD), 'utf8'));
        expect(record).toHaveProperty(['src/app.ts']);
        await writeFile(path.join(spoiled, RECORD), JSON.stringify({ ...record, 'src/app.ts': '1 1' }));
      },
    ],
    ['a source of it is gone', (spoiled) => writeFile(path.join(spoiled, RECORD), '{"src/gone.ts":"1 1"}')],
    ['what is kept has been touched', (spoiled) => utimes(path.join(spoiled, BUNDLE), 1, 1)],
    ['its source map has been removed', (spoiled) => rm(path.join(spoiled, `${BUNDLE}.map`))],
    ['the record is no JSON', (spoiled) => writeFile(path.join(spoiled, RECORD), '{')],
    ['there is no record', (spoiled) => rm(path.join(spoiled, RECORD))],
  ])('is not taken again when %s', async (_what, spoil) => {
    expect(await isBuildFresh(cache)).toBe(true);
    const kept = path.join(place, 'kept');
    await cp(cache, kept, { recursive: true, preserveTimestamps: true });
    await spoil(cache);
    expect(await isBuildFresh(cache)).toBe(false);
    await rm(cache, { recursive: true });
    await cp(kept, cache, { recursive: true, preserveTimestamps: true });
  });
});
