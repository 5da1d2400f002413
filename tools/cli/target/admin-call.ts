import type { Command } from 'commander';
import type * as z from 'zod';
import { apiClient } from './api-client.ts';
import { apiOptions, yesOption } from './system-options.ts';
import { findTarget, type TargetOptions } from './target.ts';

/** An API call with the admin or factory token. */
export type TokenCall = <T>(path: string, schema: z.ZodType<T>, body?: unknown) => Promise<T>;

/** Adds the options that select an API and a token. */
export function targetOptions(command: Command, token: 'admin' | 'factory'): Command {
  const variable = token === 'admin' ? 'OTA_ADMIN_TOKEN' : 'FACTORY_PROVISION_TOKEN';
  return yesOption(
    apiOptions(command).option(
      '--token <token>',
      `${token} token (default: from the environment or local stack; with --api, from ${variable})`,
    ),
  );
}

interface CallOptions {
  /** Whether the calls can change anything; for production, this asks for confirmation. */
  readonly changes?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Prints the selected API and returns a function that calls it: POST with a body, else GET. */
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
