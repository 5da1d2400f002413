import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Formats source code with the project's settings for that file. */
export function formatted(file: string, source: string): string {
  return execFileSync('npx', ['--no-install', 'biome', 'format', `--stdin-file-path=${file}`], {
    cwd: ROOT,
    input: source,
    encoding: 'utf8',
    timeout: 60_000,
  });
}
