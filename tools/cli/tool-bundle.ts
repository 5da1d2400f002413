import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { REQUIRE_BANNER } from './require-banner.ts';

const TOOLS = fileURLToPath(new URL('..', import.meta.url));
/** Within the project, and never packed with it. */
const FOLDER = fileURLToPath(new URL('../../node_modules/.cache/autowatering/tools/', import.meta.url));

/** What has been made in this process: a cache, as the sources do not change under it. */
const made = new Map<string, Promise<string>>();

/**
 * One of our command lines as one file, with all that it needs: it starts in a third of the time that compiling it at
 * each start takes. For whoever runs a command many times.
 *
 * @returns the file's path
 */
export function toolBundle(tool: string): Promise<string> {
  const known = made.get(tool);
  if (known !== undefined) return known;
  const bundle = makeBundle(tool);
  made.set(tool, bundle);
  return bundle;
}

async function makeBundle(tool: string): Promise<string> {
  const file = path.join(FOLDER, `${tool}.mjs`);
  const own = path.join(FOLDER, `${tool}-${process.pid}.mjs`);
  await build({
    ...{ entryPoints: [path.join(TOOLS, `${tool}.ts`)], outfile: own, logLevel: 'silent' },
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node20' },
    // It looks for its own program beside itself.
    external: ['esbuild'],
    plugins: [OWN_ADDRESSES],
    banner: { js: REQUIRE_BANNER },
  });
  // Whoever makes the same at the same moment puts the same in its place, and nobody sees half a file.
  await rename(own, file);
  return file;
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
