import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlainError } from '../plain-error.ts';
import { commandFile } from './command-file.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BINARIES = path.join(ROOT, 'node_modules', '.bin');

/**
 * Runs another program to its end, in the project's folder, with the terminal as its own.
 *
 * @param name what it is called when it fails: its arguments may be long
 * @throws PlainError when it is not there or fails
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
  name = `${program} ${args[0] ?? ''}`,
): Promise<void> {
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: 'inherit',
    signal,
    // SAM looks for esbuild on the PATH.
    env: { ...process.env, PATH: `${BINARIES}${path.delimiter}${process.env['PATH'] ?? ''}`, SAM_CLI_TELEMETRY: '0' },
  });
  try {
    const [code] = await once(child, 'close');
    if (code !== 0) throw new PlainError(`“${name}” failed with ${code}: its own words stand above.`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new PlainError(
      `${program} is not on this machine. RUNBOOK.md, "Before the first deployment", tells what is needed.`,
    );
  }
}

/** Runs one of our own commands, as `npm run <script>` does. */
export function runOwnTool(script: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const command = ['--import', 'tsx', commandFile(script), ...args];
  return runProgram(process.execPath, command, signal, `npm run ${script}`);
}
