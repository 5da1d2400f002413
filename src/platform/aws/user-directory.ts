import type { AttributeType, CognitoIdentityProvider, UserType } from '@aws-sdk/client-cognito-identity-provider';
import type { Uid } from '../ids.ts';
import { once } from '../once.ts';
import { boundCalls } from '../resilience/dependency.ts';
import { traceCalls } from './traced-client.ts';

/** A user's entry in the user pool. */
export interface DirectoryUser {
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly name: string | null;
  readonly picture: string | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number | null;
}

export interface UserDirectory {
  find(username: string, signal?: AbortSignal): Promise<DirectoryUser | undefined>;
  /** The user with that id, under any username. */
  findById(uid: Uid, signal?: AbortSignal): Promise<DirectoryUser | undefined>;
  /** Checks whether a user with that id exists, under any username. */
  exists(uid: Uid): Promise<boolean>;
  /** Sets Cognito's `name` and `picture`; an empty string clears. Does nothing for a user who is gone. */
  setAttributes(username: string, attributes: { readonly name?: string; readonly picture?: string }): Promise<void>;
  /** Removes the login; a user who is already gone counts as removed. */
  remove(username: string): Promise<void>;
}

const CONNECT_MS = 1_000;
const REQUEST_MS = 1_500;

export function createUserDirectory(userPoolId: string, region: string): UserDirectory {
  const client = once(async (): Promise<CognitoIdentityProvider> => {
    const [{ CognitoIdentityProvider: Provider }, { awsCredentials }] = await Promise.all([
      import('@aws-sdk/client-cognito-identity-provider'),
      import('./credentials.ts'),
    ]);
    const made = new Provider({
      region,
      credentials: await awsCredentials(),
      maxAttempts: 2,
      requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS, throwOnRequestTimeout: true },
    });
    traceCalls(made.middlewareStack, 'Cognito');
    boundCalls(made.middlewareStack, 'Cognito');
    return made;
  });

  const byId = async (uid: Uid, signal?: AbortSignal): Promise<UserType | undefined> => {
    // The filter has a small language of its own: a uid never needs quoting, and anything that does is not a uid.
    if (!/^[\w-]+$/.test(uid)) return undefined;
    const { Users: users = [] } = await (await client()).listUsers(
      { UserPoolId: userPoolId, Filter: `sub = "${uid}"`, Limit: 1 },
      signal === undefined ? {} : { abortSignal: signal },
    );
    return users[0];
  };

  return {
    async find(username, signal) {
      try {
        const user = await (await client()).adminGetUser(
          { UserPoolId: userPoolId, Username: username },
          signal === undefined ? {} : { abortSignal: signal },
        );
        return toDirectoryUser(user.UserAttributes, user.UserCreateDate);
      } catch (error) {
        if (isUserNotFound(error)) return undefined;
        throw error;
      }
    },
    async findById(uid, signal) {
      const user = await byId(uid, signal);
      return user && toDirectoryUser(user.Attributes, user.UserCreateDate);
    },
    exists: async (uid) => (await byId(uid)) !== undefined,
    async setAttributes(username, attributes) {
      const list = Object.entries(attributes).map(([Name, Value]) => ({ Name, Value }));
      try {
        await (await client()).adminUpdateUserAttributes({
          UserPoolId: userPoolId,
          Username: username,
          UserAttributes: list,
        });
      } catch (error) {
        if (!isUserNotFound(error)) throw error;
      }
    },
    async remove(username) {
      try {
        await (await client()).adminDeleteUser({ UserPoolId: userPoolId, Username: username });
      } catch (error) {
        if (!isUserNotFound(error)) throw error;
      }
    },
  };
}

function toDirectoryUser(list: readonly AttributeType[] = [], createdAt: Date | undefined): DirectoryUser {
  const attributes = new Map(list.map(({ Name, Value }) => [Name, Value]));
  return {
    email: attributes.get('email') ?? null,
    emailVerified: attributes.get('email_verified') === 'true',
    name: attributes.get('name') || null,
    picture: attributes.get('picture') || null,
    createdAt: createdAt?.getTime() ?? null,
  };
}

function isUserNotFound(error: unknown): boolean {
  return error instanceof Error && error.name === 'UserNotFoundException';
}
