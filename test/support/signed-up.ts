import { randomUUID } from 'node:crypto';
import { inject } from 'vitest';
import {
  LOCAL_CLIENT_ID,
  LOCAL_REGION,
  LOCAL_USER_POOL_ID,
} from '../../tools/run/local-stack/cognito/cognito-local.ts';
import { cognitoUsers } from '../../tools/run/local-stack/cognito/cognito-users.ts';
import type { Backend } from './backend.ts';
import { bearer } from './tokens.ts';

const PASSWORD = 'Aw1!password-for-tests';

/** The local Cognito shared by all tests. */
function pool() {
  return cognitoUsers({
    endpoint: inject('cognitoUrl'),
    region: LOCAL_REGION,
    userPoolId: LOCAL_USER_POOL_ID,
    clientId: LOCAL_CLIENT_ID,
  });
}

export const logIn = (email: string) => pool().logIn(email, PASSWORD);

/** A user who exists in the user pool, unlike those whose tokens the tests mint themselves. */
export async function signedUp(backend: Backend, email = `${randomUUID()}@example.com`) {
  await pool().signUp(email, PASSWORD);
  const { idToken, accessToken } = await logIn(email);
  const headers = bearer(idToken);
  const { uid }: { uid: string } = (await backend.call('/getUserState', { headers })).body;
  return { uid, email, headers, accessHeaders: bearer(accessToken) };
}
