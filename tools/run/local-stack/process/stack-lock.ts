import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PlainError } from '../../../cli/plain-error.ts';
import { isAlive, readStackFile } from '../stack-file.ts';

/**
 * Makes sure that one stack at a time runs from a directory, from the first moment of its start on.
 *
 * @returns gives the directory free again
 * @throws PlainError that names the stack which has it
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  // Beside it, not inside: a fresh start removes the directory.
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
    // Whoever wrote it is gone without clearing up.
    await rm(file, { force: true });
  }
}

async function isTaken(directory: string, holder: number): Promise<PlainError> {
  const running = await readStackFile(directory);
  const where = running === undefined ? 'it is still starting' : running.apiBaseUrl;
  return new PlainError(
    `A stack is running already from this directory: ${where} (process ${holder}). Stop it with Ctrl-C there, or start ` +
      'another one with --directory.',
  );
}
