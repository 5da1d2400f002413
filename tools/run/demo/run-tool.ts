import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { toolBundle } from '../../cli/bundle/tool-bundle.ts';
import { PlainError } from '../../cli/plain-error.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Runs a command in a separate process, as a user would, and returns its output. */
export async function runTool(script: string, args: readonly string[], signal: AbortSignal): Promise<string> {
  const child = spawn(process.execPath, [await toolBundle(script), ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
    signal,
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  child.stderr.on('data', (part) => {
    errors += part;
  });
  const [code] = await once(child, 'close');
  if (code !== 0)
    throw new PlainError(`npm run ${script} failed with exit code ${code}: ${errors.trim() || output.trim()}`);
  return output;
}
