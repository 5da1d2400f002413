import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const OPENAPI = fileURLToPath(new URL('../../../docs/openapi.json', import.meta.url));
const AuthKind = z.enum(['public', 'cognito', 'cognito-optional', 'factory', 'admin', 'stripe']);
const Throttle = z.object({ requestsPerSecond: z.number(), burst: z.number() });
const Operation = z.looseObject({
  'x-auth': AuthKind,
  'x-throttle': Throttle,
  'x-open-to-peers': z.literal(true).optional(),
});
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.enum(['get', 'post']), Operation.optional())),
});

export interface ListedRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly auth: z.output<typeof AuthKind>;
  /** Whether a user's peers may call it too. */
  readonly isOpenToPeers: boolean;
  readonly throttle: z.output<typeof Throttle>;
}

/** Lists all routes with their guards, from the generated OpenAPI document. */
export async function listedRoutes(): Promise<readonly ListedRoute[]> {
  const { paths } = Document.parse(JSON.parse(await readFile(OPENAPI, 'utf8')));
  return Object.entries(paths).flatMap(([path, { get, post }]) => [
    ...(get === undefined ? [] : [listed('GET', path, get)]),
    ...(post === undefined ? [] : [listed('POST', path, post)]),
  ]);
}

function listed(method: ListedRoute['method'], path: string, operation: z.output<typeof Operation>): ListedRoute {
  const { 'x-auth': auth, 'x-throttle': throttle, 'x-open-to-peers': open } = operation;
  return { method, path, auth, isOpenToPeers: open === true, throttle };
}
