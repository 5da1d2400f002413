import type { Command } from 'commander';
import type * as z from 'zod';
import { apiClient } from './api-client.ts';
import { apiOptions, yesOption } from './system-options.ts';
import { findTarget, type TargetOptions } from './target.ts';

/** A call with the token of the one who makes it. */
export type TokenCall = <T>(path: string, schema: z.ZodType<T>, body?: unknown) => Promise<T>;

/** The options that say which API a command talks to, and with which token. */
export function targetOptions(command: Command, token: 'admin' | 'factory'): Command {
  const variable = token === 'admin' ? 'OTA_ADMIN_TOKEN' : 'FACTORY_PROVISION_TOKEN';
  return yesOption(
    apiOptions(command).option(
      '--token <token>',
      `${token} token (default: the environment’s or the local stack’s; with --api, ${variable})`,
    ),
  );
}

interface CallOptions {
  /** Whether what follows may change anything: for production it is asked first. */
  readonly changes?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Says which API it is. The call POSTs where there is a body, else it GETs. */
export async function tokenCall(
  options: TargetOptions,
  token: 'admin' | 'factory',
  signal: AbortSignal,
  { changes = false, headers: extraHeaders = {} }: CallOptions = {},
): Promise<TokenCall> {
  const target = await findTarget(options, { changes, signal });
  const call = apiClient(target.apiBaseUrl, signal);
  const value = await target.token(token === 'admin' ? 'adminToken' : 'factoryToken');
  const headers = { [token === 'admin' ? 'x-admin-token' : 'x-factory-token']: value, ...extraHeaders };
  return (path, schema, body) =>
    call(path, schema, body === undefined ? { headers } : { method: 'POST', headers, body });
}
