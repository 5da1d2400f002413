import { execFile } from 'node:child_process';
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as z from 'zod';
import { buildLambdaBundle, bytesByPackage } from '../lambda/lambda-bundle.ts';
import type { FunctionName } from '../template/granted-rights.ts';
import { median } from './statistics.ts';

const MEASURE = fileURLToPath(new URL('./measure-cold-start.mjs', import.meta.url));
const LIST = fileURLToPath(new URL('./list-loaded-files.mjs', import.meta.url));
const RUNS = 9;
const Result = z.object({ status: z.number(), loadedMs: z.number(), answeredMs: z.number(), cpuMs: z.number() });

/** The first event of a container: a request for a path, or any other event. */
export interface FirstEvent {
  readonly route: string;
  /** In place of a `GET` of the route. */
  readonly event?: object;
  /** The status of the answer; 200 by default. */
  readonly expect?: number;
  /** Before each run, for events that are limited. */
  readonly pauseMs?: number;
}

export interface ColdStart {
  readonly route: string;
  /** Bytes of the files loaded until the first response. */
  readonly loadedBytes: number;
  readonly largest: readonly (readonly [string, number])[];
  readonly loadedMs: number;
  readonly answeredMs: number;
  /** CPU until then, which other load on the machine disturbs less. */
  readonly cpuMs: number;
}

/**
 * Measures loaded bytes and the time from process start to first response, for an empty handler and each first event of
 * a function.
 */
export async function measureColdStarts(
  directory: string,
  env: Readonly<Record<string, string>>,
  events: readonly FirstEvent[],
  name: FunctionName = 'Backend',
): Promise<{ readonly empty: ColdStart; readonly routes: readonly ColdStart[]; readonly bundleBytes: number }> {
  const bundle = await buildLambdaBundle(path.join(directory, 'cold-bundle'), {}, name);
  const emptyHandler = path.join(directory, 'empty-handler.mjs');
  await writeFile(emptyHandler, "export const handler = async () => ({ statusCode: 200, body: '{}' });\n");
  const cold = async (handler: string, first: FirstEvent): Promise<ColdStart> => {
    const files = await loadedFiles(directory, handler, first, env);
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    return {
      route: first.route,
      loadedBytes: sizes.reduce((sum, size) => sum + size, 0),
      largest: bytesByPackage(bundle.metafile, new Set(files)).slice(0, 6),
      ...(await timed(handler, first, env)),
    };
  };
  const empty = await cold(emptyHandler, { route: 'empty handler' });
  const measured: ColdStart[] = [];
  for (const first of events) measured.push(await cold(bundle.handler, first));
  const bundleBytes = Object.values(bundle.metafile.outputs).reduce((sum, { bytes }) => sum + bytes, 0);
  return { empty, routes: measured, bundleBytes };
}

async function run(
  handler: string,
  { route, event, expect = 200, pauseMs = 0 }: FirstEvent,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
) {
  await delay(pauseMs);
  const given = event === undefined ? {} : { COLD_START_EVENT: JSON.stringify(event) };
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, MEASURE, path.resolve(handler), route], {
    env: { PATH: process.env['PATH'] ?? '', NODE_NO_WARNINGS: '1', ...env, ...given },
  });
  const result = Result.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
  if (result.status !== expect) throw new Error(`${route} answered ${result.status}: ${stdout}`);
  return result;
}

async function timed(handler: string, first: FirstEvent, env: Readonly<Record<string, string>>) {
  const results: z.output<typeof Result>[] = [];
  for (let i = 0; i < RUNS; i += 1) results.push(await run(handler, first, env));
  return {
    loadedMs: median(results.map(({ loadedMs }) => loadedMs)),
    answeredMs: median(results.map(({ answeredMs }) => answeredMs)),
    cpuMs: median(results.map(({ cpuMs }) => cpuMs)),
  };
}

async function loadedFiles(
  directory: string,
  handler: string,
  first: FirstEvent,
  env: Readonly<Record<string, string>>,
) {
  const list = path.join(directory, 'loaded-files.txt');
  await rm(list, { force: true });
  await run(handler, first, { ...env, LOADED_FILES: list }, ['--import', LIST]);
  const urls = new Set((await readFile(list, 'utf8')).split('\n').filter((line) => line !== ''));
  return [...urls].map((url) => fileURLToPath(url)).filter((file) => file !== MEASURE);
}
