import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';
import { commandFile } from './command-file.ts';
import { BUILD_CACHE, keptBuild } from './kept-build.ts';

/** Bundles requested in this process; sources are assumed not to change meanwhile. */
const made = new Map<string, Promise<string>>();

/**
 * Bundles a command into one file, which starts three times as fast, for callers that run a command many times.
 *
 * @param script its name in package.json, like `ota:publish`
 * @returns the file's path
 */
export function toolBundle(script: string): Promise<string> {
  const known = made.get(script);
  if (known !== undefined) return known;
  const bundle = keptBuild(commandFile(script), path.join(BUILD_CACHE, 'tools', script.replace(':', '-')), {
    plugins: [ownAddresses()],
    // esbuild looks for its binary next to its own file.
    external: ['esbuild'],
  });
  made.set(script, bundle);
  return bundle;
}

/**
 * Bundles a command into one script, which a process can run any number of times: Node compiles it once, and evaluates
 * it anew for each run.
 *
 * @param script its name in package.json, like `ota:publish`
 * @returns the path of a CommonJS file
 */
export function toolScript(script: string): Promise<string> {
  return keptBuild(commandFile(script), path.join(BUILD_CACHE, 'scripts', script.replace(':', '-')), {
    format: 'cjs',
    // Scripts can't wait at their top level; the command's process ends when the command has ended all the same.
    plugins: [ownAddresses((source) => source.replace(/^await runCommand\(/m, 'runCommand('))],
    banner: { js: "const bundleAddress = require('node:url').pathToFileURL(__filename).href;" },
    define: { [OWN_ADDRESS]: 'bundleAddress' },
    external: ['esbuild'],
  });
}

/** Assembled from parts, so that it is not replaced in this module, which is bundled too. */
const OWN_ADDRESS = ['import', 'meta', 'url'].join('.');

/** Our modules locate project files by their own URL, so bundled modules keep their original one. */
const ownAddresses = (edited = (source: string) => source): Plugin => ({
  name: 'own addresses',
  setup({ onLoad }) {
    // Packages are JavaScript, so TypeScript files are ours.
    onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const address = JSON.stringify(pathToFileURL(file).href);
      return { contents: edited(source.replaceAll(OWN_ADDRESS, address)), loader: 'ts' };
    });
  },
});
