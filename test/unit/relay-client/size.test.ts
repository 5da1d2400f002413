import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { expect, it } from 'vitest';

async function gzipped(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome137', 'safari17'],
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

it('the client is as small as its README says', async () => {
  const stated = /adds (\d+) KB \(gzipped\)/.exec(readFileSync('relay-client/README.md', 'utf8'))?.[1];
  const bytes = await gzipped("export * from '@autowatering/relay-client';");
  expect(bytes).toBeGreaterThan(5_000);
  expect(Math.ceil(bytes / 1024)).toBeLessThanOrEqual(Number(stated));
  expect(Number(stated)).toBeLessThanOrEqual(15);
});

it('the client for browsers needs nothing of Node', async () => {
  await expect(gzipped("export * from '@autowatering/relay-client';")).resolves.toBeGreaterThan(0);
});
