import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { PlainError } from '../../../cli/plain-error.ts';

export interface BuildOptions {
  readonly sourceDir: string;
  readonly buildDir: string;
  readonly board: string;
  readonly sysbuild: boolean;
  readonly pristine: boolean;
}

/** Returns the command that builds the firmware, with its arguments. */
export function westCommand({ sourceDir, buildDir, board, sysbuild, pristine }: BuildOptions): readonly string[] {
  return [
    ...['west', 'build', '--board', board, '--build-dir', buildDir],
    ...(sysbuild ? ['--sysbuild'] : []),
    ...(pristine ? ['--pristine', 'always'] : []),
    sourceDir,
  ];
}

/** Returns where west writes the signed image: with sysbuild, each application has its own folder. */
export function builtImage({ sourceDir, buildDir, sysbuild }: BuildOptions): string {
  const folder = sysbuild ? path.join(buildDir, path.basename(path.resolve(sourceDir))) : buildDir;
  return path.join(folder, 'zephyr', 'zephyr.signed.bin');
}

/** Builds the firmware; west's output goes to stderr. @throws PlainError if west is missing or the build fails */
export async function westBuild(options: BuildOptions, signal: AbortSignal): Promise<void> {
  const [command = '', ...args] = westCommand(options);
  // Only this tool's own result goes to stdout.
  const child = spawn(command, args, { stdio: ['ignore', 2, 2], signal });
  try {
    const [code] = await once(child, 'close');
    if (code !== 0) throw new PlainError(`west build failed with exit code ${code}.`);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new PlainError('west was not found. Install Zephyr’s tools, or pass an image with --artifact-path.');
  }
}
