import { open } from 'node:fs/promises';
import { PlainError } from '../../cli/plain-error.ts';

/** A backup is full of personal data, so only its owner can read it. */
export const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

/** @throws PlainError when the file is missing */
export async function* linesOf(file: string): AsyncGenerator<string> {
  const handle = await present(file, () => open(file));
  yield* handle.readLines();
}

/** Runs the work, and reports a missing file as a damaged backup. */
export async function present<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    throw new PlainError(`This backup is damaged: ${file} is missing.`);
  }
}
