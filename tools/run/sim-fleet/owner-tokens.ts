import { readFile } from 'node:fs/promises';
import { PlainError } from '../../cli/plain-error.ts';
import { mintToken } from '../local-stack/cognito/mint-token.ts';
import { isLoopback } from './loopback-fetch.ts';

/**
 * A Cognito token for each owner: from a file with one a line, or made up for a local stack, whose Cognito signs with a
 * key that everybody has.
 */
export async function ownerTokens(
  file: string | undefined,
  apiBaseUrl: string,
  owners: number,
): Promise<readonly string[]> {
  if (file !== undefined) {
    const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim());
    return lines.filter((line) => line !== '');
  }
  if (isLoopback(apiBaseUrl)) return Array.from({ length: owners }, () => mintToken());
  throw new PlainError('A backend elsewhere needs --tokens: a file with one token a line.');
}
