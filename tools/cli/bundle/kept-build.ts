import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import * as z from 'zod';
import { REQUIRE_BANNER } from './require-banner.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Where builds are kept: within the project, and never packed with it. */
export const BUILD_CACHE = path.join(ROOT, 'node_modules/.cache/autowatering');
/** What may change a build without being a part of it. */
const SETTINGS = [
  'package-lock.json',
  'tsconfig.json',
  'tools/cli/bundle/kept-build.ts',
  'tools/cli/bundle/tool-bundle.ts',
];

const SourceMap = z.looseObject({ sources: z.array(z.string()) });

/** Files by their path in the project, with size and time of change. */
const MadeOf = z.record(z.string(), z.string());

/**
 * Bundles a module of ours, with all that it needs, into one file for Node. A build is a cache: it is taken again while
 * none of its files has changed.
 *
 * @param entry from the project's folder, as `src/local-server.ts`
 * @param folder where it is kept; its record stands beside it
 * @returns the bundle's path
 */
export async function keptBuild(
  entry: string,
  folder: string,
  options: Pick<BuildOptions, 'sourcemap' | 'external' | 'plugins'>,
): Promise<string> {
  const file = path.join(folder, `${path.parse(entry).name}.mjs`);
  if (!(await isBuildFresh(file))) await rebuild(entry, file, options);
  return file;
}

/** Whether a file holds a build of the sources as they are now. */
export async function isBuildFresh(file: string): Promise<boolean> {
  const recorded = await readFile(recordOf(file), 'utf8').then(
    (text) => MadeOf.safeParse(parsed(text)).data,
    () => undefined,
  );
  if (recorded === undefined) return false;
  const now = await fingerprints(Object.keys(recorded));
  return Object.entries(recorded).every(([name, fingerprint]) => now[name] === fingerprint);
}

async function rebuild(entry: string, file: string, options: BuildOptions): Promise<void> {
  const begun = Date.now();
  const { metafile, outputFiles } = await build({
    ...options,
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    banner: { js: REQUIRE_BANNER },
    // Its map names the files themselves.
    sourcesContent: false,
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  await mkdir(path.dirname(file), { recursive: true });
  const outputs: Record<string, string> = {};
  for (const { path: output, contents, text } of outputFiles) {
    const content = output.endsWith('.map') ? withAddresses(text, path.dirname(output)) : contents;
    outputs[path.relative(ROOT, output)] = await put(output, content);
  }
  const inputs = await fingerprints([...Object.keys(metafile.inputs), ...SETTINGS]);
  // A file that is saved meanwhile may be in the build or not: then nothing is recorded, and the next one builds.
  if (Object.values(inputs).some((fingerprint) => Number(fingerprint.split(' ')[1]) >= begun)) return;
  await put(recordOf(file), JSON.stringify({ ...inputs, ...outputs }));
}

/** A source map whose sources are found from wherever it is copied to. */
function withAddresses(map: string, folder: string): string {
  const { sources, ...rest } = SourceMap.parse(JSON.parse(map));
  return JSON.stringify({
    ...rest,
    sources: sources.map((source) => pathToFileURL(path.resolve(folder, source)).href),
  });
}

function recordOf(file: string): string {
  return `${file}.made-of.json`;
}

/**
 * Of two that build at the same moment each puts a whole file in place.
 *
 * @returns its fingerprint: what another one puts there afterwards has another
 */
async function put(file: string, contents: string | Uint8Array): Promise<string> {
  const own = `${file}.${process.pid}`;
  await writeFile(own, contents);
  const fingerprint = await fingerprintOf(own);
  await rename(own, file);
  return fingerprint;
}

async function fingerprints(files: readonly string[]): Promise<Record<string, string>> {
  const entries = await Promise.all(
    files.map(async (file) => [file, await fingerprintOf(path.join(ROOT, file))] as const),
  );
  return Object.fromEntries(entries);
}

async function fingerprintOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? 'gone' : `${found.size} ${found.mtimeMs}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A record that is no JSON is one of no build.
    return undefined;
  }
}
