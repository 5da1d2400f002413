import { readFile } from 'node:fs/promises';
import { PlainError } from '../../cli/plain-error.ts';
import { mintToken } from '../local-stack/cognito/mint-token.ts';
import { isLoopback } from './loopback-fetch.ts';

/**
 * Returns a Cognito token for each owner: from a file with one per line, or generated for a local stack, whose Cognito
 * signs with a publicly known key.
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
  throw new PlainError('A remote backend needs --tokens: a file with one token per line.');
}
