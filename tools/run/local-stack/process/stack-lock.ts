import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PlainError } from '../../../cli/plain-error.ts';
import { isAlive, readStackFile } from '../stack-file.ts';

/**
 * Ensures that only one stack at a time starts or runs in a directory.
 *
 * @returns a function that releases the directory
 * @throws PlainError that names the stack using it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  // Next to the directory, not inside: a fresh start removes it.
  const file = `${directory}.lock`;
  await mkdir(path.dirname(file), { recursive: true });
  for (;;) {
    try {
      await writeFile(file, String(process.pid), { flag: 'wx' });
      return () => rm(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const holder = Number(await readFile(file, 'utf8').catch(() => ''));
    if (holder > 0 && isAlive(holder)) throw await isTaken(directory, holder);
    // Its process is gone without cleaning up.
    await rm(file, { force: true });
  }
}

async function isTaken(directory: string, holder: number): Promise<PlainError> {
  const running = await readStackFile(directory);
  const where = running === undefined ? 'it is still starting' : running.apiBaseUrl;
  return new PlainError(
    `A stack is already running in this directory: ${where} (process ${holder}). Stop it with Ctrl-C, or start ` +
      'another one with --directory.',
  );
}
