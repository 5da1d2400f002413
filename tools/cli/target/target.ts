import { DEFAULT_DIRECTORY, readStackFile, type StackFile } from '../../run/local-stack/stack-file.ts';
import { PlainError } from '../plain-error.ts';
import { isAtTerminal, type NamedSystem, namedSystem, type SystemOptions } from './named-system.ts';
import { type Purpose, sayWhere } from './say-where.ts';

/** The options that say which API a command talks to, and with which token. */
export interface TargetOptions extends SystemOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly token?: string;
  readonly yes?: boolean;
}

type TokenName = 'factoryToken' | 'adminToken';
const VARIABLE = { factoryToken: 'FACTORY_PROVISION_TOKEN', adminToken: 'OTA_ADMIN_TOKEN' } as const;

/** An API that was named, and said to be the one. */
export interface Target {
  readonly apiBaseUrl: string;
  /**
   * A token for this API. It comes from where the API was named, so that none goes to another system: the flag in any
   * case, an environment's own secret, the local stack's file, and the variable beside --api-base-url or API_BASE_URL.
   *
   * @throws PlainError when there is none
   */
  token(name: TokenName): Promise<string>;
}

/**
 * Finds the API that is meant, and says which one it is.
 *
 * @throws UsageError when none, or more than one, is named; PlainError when it can't be found
 */
export async function findTarget(options: TargetOptions, purpose: Omit<Purpose, 'yes'>): Promise<Target> {
  const system = namedSystem(options, { apiBaseUrl: process.env['API_BASE_URL'], atTerminal: isAtTerminal() });
  const { environment, where, ...target } = await located(system, options);
  await sayWhere(environment, where, { ...purpose, yes: options.yes });
  return {
    apiBaseUrl: target.apiBaseUrl,
    token: async (name) => options.token ?? (await target.token(name)),
  };
}

interface Located extends Target {
  readonly environment: string | undefined;
  readonly where: string;
}

async function located(system: NamedSystem, options: TargetOptions): Promise<Located> {
  switch (system.kind) {
    case 'environment': {
      // Only here: loading the AWS clients takes longer than most commands.
      const { environmentAccess } = await import('./environment-access.ts');
      const { apiBaseUrl, where, token } = await environmentAccess(system.environment, options);
      return { environment: system.environment, where, apiBaseUrl, token: (name) => token(VARIABLE[name]) };
    }
    case 'api': {
      const { apiBaseUrl, namedBy } = system;
      return {
        ...{ environment: undefined, where: `${apiBaseUrl} (by ${namedBy})`, apiBaseUrl },
        token: async (name) => {
          const token = process.env[VARIABLE[name]] ?? localToken(await readStackFile(), apiBaseUrl, name);
          if (token !== undefined && token !== '') return token;
          throw new PlainError(`A token is needed: set ${VARIABLE[name]} in the environment, or pass --token.`);
        },
      };
    }
    case 'local': {
      const stack = await readStackFile(system.directory ?? DEFAULT_DIRECTORY);
      if (stack === undefined) throw new PlainError(NO_STACK);
      const { apiBaseUrl } = stack;
      const why = system.isDefault ? ' (the default on a terminal; --env names another)' : '';
      return {
        ...{ environment: undefined, where: `the local stack at ${apiBaseUrl}${why}`, apiBaseUrl },
        token: async (name) => stack[name],
      };
    }
  }
}

const NO_STACK = 'No stack runs here. Start one with "npm run dev", or name another system: --env or --api-base-url.';

/** The local tokens belong to the local API; they are not sent anywhere else. */
function localToken(stack: StackFile | undefined, apiBaseUrl: string, name: TokenName): string | undefined {
  const isLocal = stack !== undefined && new URL(stack.apiBaseUrl).origin === new URL(apiBaseUrl).origin;
  return isLocal ? stack[name] : undefined;
}
