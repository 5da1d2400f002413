import { createHmac } from 'node:crypto';
import type { Secrets } from '../platform/aws/secrets.ts';

/**
 * Hashes addresses with the installation's salt, so that a returning address can be recognised, but nobody can read it
 * or try out addresses without the salt.
 *
 * @throws SecretsError, or an error when the secret has no salt: a mark under another key would never be found again
 */
export function emailHasher(secrets: Secrets): (email: string) => Promise<string> {
  return async (email) => {
    const { RATE_LIMIT_SALT: salt } = await secrets.values();
    if (salt === undefined) throw new Error('the secret lacks RATE_LIMIT_SALT');
    return createHmac('sha256', salt).update(`email:${email.trim().toLowerCase()}`).digest('base64url');
  };
}
