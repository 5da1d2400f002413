import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { BUILD_CACHE } from '../../tools/cli/bundle/kept-build.ts';

const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

export interface Chromium {
  readonly executablePath: string;
  /** Environment variables its process needs in addition to those of the tests. */
  readonly env: Readonly<Record<string, string>>;
}

let found: Promise<Chromium> | undefined;

/**
 * The Chromium for browser tests: the one in `CHROMIUM_PATH`, an installed one, or the one in the package
 * `@sparticuz/chromium`, unpacked once for all runs.
 *
 * @throws if there is none, as on a machine other than Linux on x86-64 without a browser: no test is skipped
 */
export function chromium(): Promise<Chromium> {
  found ??= find();
  return found;
}

async function find(): Promise<Chromium> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? INSTALLED.find((file) => existsSync(file));
  if (executablePath !== undefined) return { executablePath, env: {} };
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error('The Chromium of the package runs on Linux on x86-64 only: install one, and set CHROMIUM_PATH.');
  }
  return unpacked();
}

const require = createRequire(import.meta.url);
const ENTRY = require.resolve('@sparticuz/chromium');
const Package = z.object({ version: z.string() });

const FONTS_CONF = 'fonts.conf';

/** The package's browser with the shared libraries and fonts that a bare machine lacks. */
async function unpacked(): Promise<Chromium> {
  const { version } = Package.parse(require(path.join(ENTRY, '../../../package.json')));
  const folder = path.join(BUILD_CACHE, `chromium-${version}`);
  if (!existsSync(folder)) await unpack(folder);
  return {
    executablePath: path.join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: path.join(folder, 'al2023/lib'), FONTCONFIG_FILE: path.join(folder, FONTS_CONF) },
  };
}

/** Moves a folder into place atomically, even if others unpack at the same time. */
async function unpack(folder: string): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true });
  const own = await mkdtemp(`${folder}.`);
  try {
    // The package unpacks to the temporary directory, and unpacks its libraries only if it detects Lambda.
    const script = `import chromium from '@sparticuz/chromium'; await chromium.executablePath();`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: path.dirname(ENTRY),
      env: { ...process.env, TMPDIR: own, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x' },
      timeout: 60_000,
    });
    await writeFile(path.join(own, FONTS_CONF), fontsConfiguration(folder));
    await rename(own, folder);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

/** The package's own configuration looks only below /tmp, and without a font no text is laid out. */
function fontsConfiguration(folder: string): string {
  const [fonts, cache] = [path.join(folder, 'fonts'), path.join(folder, 'font-cache')];
  return `<?xml version="1.0"?><fontconfig><dir>${fonts}</dir><cachedir>${cache}</cachedir></fontconfig>\n`;
}
