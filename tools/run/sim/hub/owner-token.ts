import { readFile } from 'node:fs/promises';
import { PlainError } from '../../../cli/plain-error.ts';
import { cognitoUsers } from '../../local-stack/cognito/cognito-users.ts';
import { readStackFile } from '../../local-stack/stack-file.ts';

/** The owner's id token: from a file, or of the local stack's demo user. */
export async function ownerToken(
  file: string | undefined,
  apiBaseUrl: string,
  directory: string | undefined,
): Promise<string> {
  if (file !== undefined) return (await readFile(file, 'utf8')).trim();
  const stack = await readStackFile(directory);
  const [user] = stack?.users ?? [];
  if (stack === undefined || user === undefined || new URL(stack.apiBaseUrl).origin !== new URL(apiBaseUrl).origin) {
    throw new PlainError("A remote backend needs --owner-token: a file with the owner's Cognito id token.");
  }
  return (await cognitoUsers(stack.cognito).logIn(user.email, user.password)).idToken;
}
