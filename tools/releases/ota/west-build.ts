import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { PlainError } from '../../cli/plain-error.ts';

export interface BuildOptions {
  readonly sourceDir: string;
  readonly buildDir: string;
  readonly board: string;
  readonly sysbuild: boolean;
  readonly pristine: boolean;
}

/** The command that builds the firmware, as its words. */
export function westCommand({ sourceDir, buildDir, board, sysbuild, pristine }: BuildOptions): readonly string[] {
  return [
    ...['west', 'build', '--board', board, '--build-dir', buildDir],
    ...(sysbuild ? ['--sysbuild'] : []),
    ...(pristine ? ['--pristine', 'always'] : []),
    sourceDir,
  ];
}

/** Where west leaves the signed image: with sysbuild each application has a folder of its own. */
export function builtImage({ sourceDir, buildDir, sysbuild }: BuildOptions): string {
  const folder = sysbuild ? path.join(buildDir, path.basename(path.resolve(sourceDir))) : buildDir;
  return path.join(folder, 'zephyr', 'zephyr.signed.bin');
}

/** @throws PlainError when west is not there, or the build fails; its output has gone to stderr */
export async function westBuild(options: BuildOptions, signal: AbortSignal): Promise<void> {
  const [command = '', ...args] = westCommand(options);
  // What it prints is progress: the result of this tool alone goes to stdout.
  const child = spawn(command, args, { stdio: ['ignore', 2, 2], signal });
  try {
    const [code] = await once(child, 'close');
    if (code !== 0) throw new PlainError(`west build ended with exit code ${code}.`);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new PlainError('west was not found. Install Zephyr’s tools, or pass an image with --artifact-path.');
  }
}
