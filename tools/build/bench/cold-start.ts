import { execFile } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { buildLambdaBundle, bytesByPackage } from '../lambda/lambda-bundle.ts';
import { median } from './statistics.ts';

const MEASURE = fileURLToPath(new URL('./measure-cold-start.mjs', import.meta.url));
const LIST = fileURLToPath(new URL('./list-loaded-files.mjs', import.meta.url));
const RUNS = 9;
const Result = z.object({ status: z.number(), loadedMs: z.number(), answeredMs: z.number() });

export interface ColdStart {
  readonly route: string;
  /** Bytes of the files loaded until the first response. */
  readonly loadedBytes: number;
  readonly largest: readonly (readonly [string, number])[];
  readonly loadedMs: number;
  readonly answeredMs: number;
}

/** Measures loaded bytes and the time from process start to first response, for an empty handler and each route. */
export async function measureColdStarts(
  directory: string,
  env: Readonly<Record<string, string>>,
  routes: readonly string[],
): Promise<{ readonly empty: ColdStart; readonly routes: readonly ColdStart[]; readonly bundleBytes: number }> {
  const bundle = await buildLambdaBundle(path.join(directory, 'bundle'));
  const emptyHandler = path.join(directory, 'empty-handler.mjs');
  await writeFile(emptyHandler, "export const handler = async () => ({ statusCode: 200, body: '{}' });\n");
  const cold = async (handler: string, route: string): Promise<ColdStart> => {
    const files = await loadedFiles(directory, handler, route, env);
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    return {
      route,
      loadedBytes: sizes.reduce((sum, size) => sum + size, 0),
      largest: bytesByPackage(bundle.metafile, new Set(files)).slice(0, 6),
      ...(await timed(handler, route, env)),
    };
  };
  const empty = await cold(emptyHandler, '/health');
  const measured: ColdStart[] = [];
  for (const route of routes) measured.push(await cold(bundle.handler, route));
  const bundleBytes = Object.values(bundle.metafile.outputs).reduce((sum, { bytes }) => sum + bytes, 0);
  return { empty, routes: measured, bundleBytes };
}

async function run(
  handler: string,
  route: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
) {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, MEASURE, path.resolve(handler), route], {
    env: { PATH: process.env['PATH'] ?? '', NODE_NO_WARNINGS: '1', ...env },
  });
  const result = Result.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
  if (result.status !== 200) throw new Error(`${route} answered ${result.status}: ${stdout}`);
  return result;
}

async function timed(handler: string, route: string, env: Readonly<Record<string, string>>) {
  const results: z.output<typeof Result>[] = [];
  for (let i = 0; i < RUNS; i += 1) results.push(await run(handler, route, env));
  return {
    loadedMs: median(results.map(({ loadedMs }) => loadedMs)),
    answeredMs: median(results.map(({ answeredMs }) => answeredMs)),
  };
}

async function loadedFiles(directory: string, handler: string, route: string, env: Readonly<Record<string, string>>) {
  const list = path.join(directory, 'loaded-files.txt');
  await rm(list, { force: true });
  await run(handler, route, { ...env, LOADED_FILES: list }, ['--import', LIST]);
  const urls = new Set((await readFile(list, 'utf8')).split('\n').filter((line) => line !== ''));
  return [...urls].map((url) => fileURLToPath(url)).filter((file) => file !== MEASURE);
}
