import { DEFAULT_DIRECTORY, readStackFile, type StackFile } from '../../run/local-stack/stack-file.ts';
import { PlainError } from '../plain-error.ts';

export interface TargetOptions {
  readonly apiBaseUrl?: string;
  readonly token?: string;
  readonly stack?: string;
}

type TokenName = 'factoryToken' | 'adminToken';
const VARIABLE: Readonly<Record<TokenName, string>> = {
  factoryToken: 'FACTORY_PROVISION_TOKEN',
  adminToken: 'OTA_ADMIN_TOKEN',
};

/** Which API to talk to, and with which token: flags first, then the environment, then the stack that runs here. */
export async function findTarget(
  options: TargetOptions,
  tokenName: TokenName,
): Promise<{ readonly apiBaseUrl: string; readonly token: string }> {
  const stack = await readStackFile(options.stack ?? DEFAULT_DIRECTORY);
  const apiBaseUrl = options.apiBaseUrl ?? process.env['API_BASE_URL'] ?? stack?.apiBaseUrl;
  if (apiBaseUrl === undefined) throw new PlainError(NO_TARGET);
  const token = options.token ?? process.env[VARIABLE[tokenName]] ?? localToken(stack, apiBaseUrl, tokenName);
  if (token === undefined) {
    throw new PlainError(`A token is needed: set ${VARIABLE[tokenName]} in the environment, or pass --token.`);
  }
  return { apiBaseUrl, token };
}

export async function findApiBaseUrl(options: Pick<TargetOptions, 'apiBaseUrl' | 'stack'>): Promise<string> {
  const stack = await readStackFile(options.stack ?? DEFAULT_DIRECTORY);
  const apiBaseUrl = options.apiBaseUrl ?? process.env['API_BASE_URL'] ?? stack?.apiBaseUrl;
  if (apiBaseUrl === undefined) throw new PlainError(NO_TARGET);
  return apiBaseUrl;
}

const NO_TARGET = 'No stack runs here. Start one with "npm run dev", or pass --api-base-url.';

/** The local tokens belong to the local API; they are not sent anywhere else. */
function localToken(stack: StackFile | undefined, apiBaseUrl: string, name: TokenName): string | undefined {
  const isLocal = stack !== undefined && new URL(stack.apiBaseUrl).origin === new URL(apiBaseUrl).origin;
  return isLocal ? stack[name] : undefined;
}
