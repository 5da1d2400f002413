import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { PlainError } from '../plain-error.ts';
import { commandFile } from './command-file.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const BINARIES = path.join(ROOT, 'node_modules', '.bin');

/**
 * Runs another program in the project folder, attached to the terminal, and waits for it to end.
 *
 * @param name its name in error messages, because arguments can be long
 * @throws PlainError if it is missing or fails
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
    // SAM expects esbuild on the PATH.
    env: { ...process.env, PATH: `${BINARIES}${path.delimiter}${process.env['PATH'] ?? ''}`, SAM_CLI_TELEMETRY: '0' },
  });
  try {
    const [code] = await once(child, 'close');
    if (code !== 0) throw new PlainError(`“${name}” failed with exit code ${code}; see its output above.`);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new PlainError(`${program} is not installed. See RUNBOOK.md, "Before the first deployment".`);
  }
}

/** Runs one of our own commands like `npm run <script>`. */
export function runOwnTool(script: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  const command = ['--import', 'tsx', commandFile(script), ...args];
  return runProgram(process.execPath, command, signal, `npm run ${script}`);
}
