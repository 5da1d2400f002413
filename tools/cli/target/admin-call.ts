import type { Command } from 'commander';
import type * as z from 'zod';
import { apiClient } from './api-client.ts';
import { findTarget, type TargetOptions } from './target.ts';

/** A call with the token of the one who makes it. */
export type TokenCall = <T>(path: string, schema: z.ZodType<T>, body?: unknown) => Promise<T>;

/** The options that say which API a command talks to, and with which token. */
export function targetOptions(command: Command, token: 'admin' | 'factory'): Command {
  const variable = token === 'admin' ? 'OTA_ADMIN_TOKEN' : 'FACTORY_PROVISION_TOKEN';
  return command
    .option('--api-base-url <url>', 'the API (default: the stack that runs here)')
    .option('--token <token>', `${token} token; better set ${variable}`)
    .option('--stack <directory>', 'directory of the local stack', '.local');
}

/** POSTs where there is a body, else GETs. */
export async function tokenCall(
  options: TargetOptions,
  token: 'admin' | 'factory',
  signal: AbortSignal,
  extraHeaders: Readonly<Record<string, string>> = {},
): Promise<TokenCall> {
  const target = await findTarget(options, token === 'admin' ? 'adminToken' : 'factoryToken');
  const call = apiClient(target.apiBaseUrl, signal);
  const headers = { [token === 'admin' ? 'x-admin-token' : 'x-factory-token']: target.token, ...extraHeaders };
  return (path, schema, body) =>
    call(path, schema, body === undefined ? { headers } : { method: 'POST', headers, body });
}
