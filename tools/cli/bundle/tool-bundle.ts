import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Plugin } from 'esbuild';
import { commandFile } from './command-file.ts';
import { BUILD_CACHE, keptBuild } from './kept-build.ts';

/** What has been asked for in this process: a cache, as the sources do not change under it. */
const made = new Map<string, Promise<string>>();

/**
 * Bundles a command into one file, which starts in a third of the time: for callers that run a command many times.
 *
 * @param script its name in package.json, as `ota:publish`
 * @returns the file's path
 */
export function toolBundle(script: string): Promise<string> {
  const known = made.get(script);
  if (known !== undefined) return known;
  const bundle = keptBuild(commandFile(script), path.join(BUILD_CACHE, 'tools', script.replace(':', '-')), {
    plugins: [OWN_ADDRESSES],
    // It looks for its own program beside itself.
    external: ['esbuild'],
  });
  made.set(script, bundle);
  return bundle;
}

/** Put together, so that it stands nowhere where it would be replaced itself: this module is bundled too. */
const OWN_ADDRESS = ['import', 'meta', 'url'].join('.');

/** Our own modules find files of the project by their address: it stays the one they had before they were bundled. */
const OWN_ADDRESSES: Plugin = {
  name: 'own addresses',
  setup({ onLoad }) {
    // Packages come as JavaScript: what is TypeScript is ours.
    onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const address = JSON.stringify(pathToFileURL(file).href);
      return { contents: source.replaceAll(OWN_ADDRESS, address), loader: 'ts' };
    });
  },
};
