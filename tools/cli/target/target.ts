import { DEFAULT_DIRECTORY, readStackFile, type StackFile } from '../../run/local-stack/stack-file.ts';
import { PlainError } from '../plain-error.ts';
import { isAtTerminal, type NamedSystem, namedSystem, type SystemOptions } from './named-system.ts';
import { type Purpose, sayWhere } from './say-where.ts';

/** The options that select an API and a token. */
export interface TargetOptions extends SystemOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly token?: string;
  readonly yes?: boolean;
}

type TokenName = 'factoryToken' | 'adminToken';
const VARIABLE = { factoryToken: 'FACTORY_PROVISION_TOKEN', adminToken: 'OTA_ADMIN_TOKEN' } as const;

/** The selected API. */
export interface Target {
  readonly apiBaseUrl: string;
  /** The address of the relay's WebSocket API; undefined for an API given by URL. */
  readonly relayUrl?: string | undefined;
  /**
   * Returns a token for this API, from the --token flag or from the system's own source, so that no token is sent to
   * another system: an environment's secret, the local stack's file, or the token's variable for an API given by URL.
   *
   * @throws PlainError if there is none
   */
  token(name: TokenName): Promise<string>;
  /**
   * Returns a user's id token, from the --token flag or from the system's own source: the local stack logs its demo
   * user in (`email`, or the first), and for an API given by URL there is RELAY_ID_TOKEN. Undefined if there is none.
   *
   * @throws PlainError if the local stack has no such user
   */
  userToken(email?: string): Promise<string | undefined>;
  /** The local stack's directory; undefined for other systems. */
  readonly directory?: string | undefined;
}

/**
 * Finds the selected API and prints which one it is.
 *
 * @throws UsageError if no system or more than one is named; PlainError if it can't be found
 */
export async function findTarget(options: TargetOptions, purpose: Omit<Purpose, 'yes'>): Promise<Target> {
  const system = namedSystem(options, { apiBaseUrl: process.env['API_BASE_URL'], atTerminal: isAtTerminal() });
  const { environment, where, ...target } = await located(system, options);
  await sayWhere(environment, where, { ...purpose, yes: options.yes });
  return {
    apiBaseUrl: target.apiBaseUrl,
    relayUrl: target.relayUrl,
    directory: target.directory,
    token: async (name) => options.token ?? (await target.token(name)),
    userToken: async (email) => options.token ?? (await target.userToken(email)),
  };
}

interface Located extends Target {
  readonly environment: string | undefined;
  readonly where: string;
}

async function located(system: NamedSystem, options: TargetOptions): Promise<Located> {
  switch (system.kind) {
    case 'environment': {
      // Imported on demand: loading the AWS clients takes longer than most commands.
      const { environmentAccess } = await import('./environment-access.ts');
      const { apiBaseUrl, relayUrl, where, token } = await environmentAccess(system.environment, options);
      return {
        ...{ environment: system.environment, where, apiBaseUrl, relayUrl },
        token: (name) => token(VARIABLE[name]),
        userToken: async () => undefined,
      };
    }
    case 'api': {
      const { apiBaseUrl, namedBy } = system;
      return {
        ...{ environment: undefined, where: `${apiBaseUrl} (from ${namedBy})`, apiBaseUrl },
        token: async (name) => {
          const token = process.env[VARIABLE[name]] ?? localToken(await readStackFile(), apiBaseUrl, name);
          if (token !== undefined && token !== '') return token;
          throw new PlainError(`A token is required: set ${VARIABLE[name]} or pass --token.`);
        },
        userToken: async () => process.env['RELAY_ID_TOKEN'] || undefined,
      };
    }
    case 'local': {
      const { directory = DEFAULT_DIRECTORY } = system;
      const stack = await readStackFile(directory);
      if (stack === undefined) throw new PlainError(NO_STACK);
      const { apiBaseUrl, relay } = stack;
      const why = system.isDefault ? ' (the default on a terminal; use --env for another)' : '';
      return {
        ...{ environment: undefined, where: `the local stack at ${apiBaseUrl}${why}`, apiBaseUrl, relayUrl: relay.url },
        directory,
        token: async (name) => stack[name],
        userToken: (email) => demoUserToken(stack, email),
      };
    }
  }
}

const NO_STACK = 'No local stack is running. Start one with "npm run dev", or pass --env or --api-base-url.';

async function demoUserToken({ users, cognito }: StackFile, email: string | undefined): Promise<string> {
  const user = email === undefined ? users[0] : users.find((one) => one.email === email);
  if (user === undefined) {
    throw new PlainError(`The local stack has no user ${email}. It has: ${users.map((one) => one.email).join(', ')}.`);
  }
  const { cognitoUsers } = await import('../../run/local-stack/cognito/cognito-users.ts');
  return (await cognitoUsers(cognito).logIn(user.email, user.password)).idToken;
}

/** Local tokens are only sent to the local API. */
function localToken(stack: StackFile | undefined, apiBaseUrl: string, name: TokenName): string | undefined {
  const isLocal = stack !== undefined && new URL(stack.apiBaseUrl).origin === new URL(apiBaseUrl).origin;
  return isLocal ? stack[name] : undefined;
}
