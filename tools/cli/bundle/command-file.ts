import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const PACKAGE = fileURLToPath(new URL('../../../package.json', import.meta.url));
const Package = z.object({ scripts: z.record(z.string(), z.string()) });

/**
 * Returns the file behind `npm run <script>`, relative to the project, like `tools/operations/backup/command.ts`.
 *
 * @throws if no such script runs a TypeScript file
 */
export function commandFile(script: string): string {
  const { scripts } = Package.parse(JSON.parse(readFileSync(PACKAGE, 'utf8')));
  const file = /^tsx (\S+\.ts)$/.exec(scripts[script] ?? '')?.[1];
  if (file === undefined) throw new Error(`package.json has no command "${script}"`);
  return file;
}
