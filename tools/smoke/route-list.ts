import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';

const OPENAPI = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url));
const AuthKind = z.enum(['public', 'cognito', 'cognito-optional', 'factory', 'admin', 'stripe']);
const Operation = z.looseObject({ 'x-auth': AuthKind });
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.enum(['get', 'post']), Operation.optional())),
});

export interface ListedRoute {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly auth: z.output<typeof AuthKind>;
}

/** Every route with its guard, from the document that is generated from the route table. */
export async function listedRoutes(): Promise<readonly ListedRoute[]> {
  const { paths } = Document.parse(JSON.parse(await readFile(OPENAPI, 'utf8')));
  return Object.entries(paths).flatMap(([path, { get, post }]) => [
    ...(get === undefined ? [] : [{ method: 'GET', path, auth: get['x-auth'] } as const]),
    ...(post === undefined ? [] : [{ method: 'POST', path, auth: post['x-auth'] } as const]),
  ]);
}
