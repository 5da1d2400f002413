import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import * as z from 'zod';
import { REQUIRE_BANNER } from './require-banner.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The build cache: inside the project, but never packaged. */
export const BUILD_CACHE = path.join(ROOT, 'node_modules/.cache/autowatering');
/** Files that affect a build without being part of it. */
const SETTINGS = [
  'package-lock.json',
  'tsconfig.json',
  'tools/cli/bundle/kept-build.ts',
  'tools/cli/bundle/tool-bundle.ts',
];

/** How a build is written; a module, unless told otherwise. */
type BuildForm = Required<Pick<BuildOptions, 'format' | 'banner' | 'define'>>;
const MODULE_FORM: BuildForm = { format: 'esm', banner: { js: REQUIRE_BANNER }, define: {} };

const SourceMap = z.looseObject({ sources: z.array(z.string()) });

/** Size and modification time by path in the project. */
const MadeOf = z.record(z.string(), z.string());

/**
 * Bundles one of our modules with its dependencies into one file for Node. The build is cached, and reused until one of
 * its files changes.
 *
 * @param entry path in the project, like `src/local-server.ts`
 * @param folder where the bundle and its record are stored
 * @returns the bundle's path
 */
export async function keptBuild(
  entry: string,
  folder: string,
  options: Pick<BuildOptions, 'sourcemap' | 'external' | 'plugins'> & Partial<BuildForm>,
): Promise<string> {
  const extension = options.format === 'cjs' ? 'cjs' : 'mjs';
  const file = path.join(folder, `${path.parse(entry).name}.${extension}`);
  if (!(await isBuildFresh(file))) await rebuild(entry, file, options);
  return file;
}

/** Checks whether a file is a build of the current sources. */
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
    ...MODULE_FORM,
    ...options,
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20',
    // The source map refers to the original files.
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
  // A file saved during the build may or may not be in it: don't record it, so that the next call builds again.
  if (Object.values(inputs).some((fingerprint) => Number(fingerprint.split(' ')[1]) >= begun)) return;
  await put(recordOf(file), JSON.stringify({ ...inputs, ...outputs }));
}

/** Returns a source map with absolute sources, so that it can be copied. */
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
 * Writes a file atomically, so that concurrent builds don't mix.
 *
 * @returns its fingerprint, which differs from that of another build's file
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
    // Treat a broken record as no build.
    return undefined;
  }
}
