import * as z from 'zod';
import { openApiDocument } from './openapi.ts';
import { JsonSchema, typescriptType } from './typescript-type.ts';

/** Callers of the app's routes: signed-in users, and everyone. */
const APP_CALLERS = ['public', 'cognito', 'cognito-optional'];

const FORM = 'application/x-www-form-urlencoded';

const Content = z.record(z.string(), z.object({ schema: JsonSchema }));
const Operation = z.object({
  summary: z.string(),
  description: z.string(),
  'x-auth': z.string(),
  'x-idempotent': z.boolean(),
  parameters: z.array(
    z.object({ name: z.string(), in: z.enum(['path', 'query']), required: z.boolean(), schema: JsonSchema }),
  ),
  requestBody: z.object({ content: Content }).optional(),
  responses: z.record(z.string(), z.object({ content: Content.optional() })),
});
const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), Operation)) });

interface Call {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: z.infer<typeof Operation>;
  readonly input: JsonSchema;
  readonly output: JsonSchema;
  /** The route's properties as the client's `Operation`. */
  readonly facts: string;
}

/**
 * Returns `app-client/generated/api.ts`, unformatted: types and one call for every app route with a JSON response, from
 * the OpenAPI document.
 *
 * @throws if two routes would get the same name, or a route has two fields with the same name
 */
export function appClientSource(): string {
  const calls = withDistinctNames(appCalls());
  const names = new Set(calls.map(({ name }) => name));
  if (names.size < calls.length) throw new Error('two routes of the app client have the same name');
  return [
    '// Generated from docs/openapi.json by `npm run docs`; a test fails when it is stale.',
    "import type { Call, CallOptions } from '../operation.ts';",
    '',
    ...calls.flatMap(typesOf),
    '/** The API routes that an app calls. */',
    'export interface AppApi {',
    ...calls.map(signatureOf),
    '}',
    '',
    '/** Implements all routes with `call`. */',
    'export function appApi(call: Call): AppApi {',
    'return {',
    ...calls.map(({ name, input, facts }) =>
      hasFields(input)
        ? `${name}: (input, options) => call(${facts}, input, options),`
        : `${name}: (options) => call(${facts}, {}, options),`,
    ),
    '};',
    '}',
    '',
  ].join('\n');
}

function appCalls(): readonly Call[] {
  const { paths } = Document.parse(JSON.parse(JSON.stringify(openApiDocument())));
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, operation]) => {
      const answers = Object.entries(operation.responses).flatMap(([status, { content }]) => {
        const schema = content?.['application/json']?.schema;
        // A route's own responses are inline; errors refer to the shared schema.
        return schema === undefined || '$ref' in schema ? [] : [{ status: Number(status), schema }];
      });
      // OAuth's routes are for OAuth clients: they take a form, and say errors in another way.
      const isForm = Object.hasOwn(operation.requestBody?.content ?? {}, FORM);
      if (!APP_CALLERS.includes(operation['x-auth']) || answers.length === 0 || isForm) return [];
      return [callOf(path, method.toUpperCase(), operation, answers)];
    }),
  );
}

function callOf(
  path: string,
  method: string,
  operation: z.infer<typeof Operation>,
  answers: readonly { readonly status: number; readonly schema: JsonSchema }[],
): Call {
  const { parameters, requestBody } = operation;
  const body = Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => ({ type, schema }));
  const query = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  const facts = {
    method,
    path,
    auth: operation['x-auth'],
    repeatable: operation['x-idempotent'],
    ...(query.length > 0 && { query }),
    ...(body[0] !== undefined && { body: body[0].type === 'multipart/form-data' ? 'form' : 'json' }),
    // A degraded health route is a regular response, though its status is an error elsewhere.
    ...(answers.some(({ status }) => status >= 300) && { answers: answers.map(({ status }) => status) }),
  };
  return {
    ...{ name: callName(path), method, path, operation, facts: JSON.stringify(facts) },
    input: inputOf(path, parameters, body[0]?.schema ?? {}),
    output: { anyOf: answers.map(({ schema }) => schema) },
  };
}

/** Merges path parameters, query parameters and body fields into one object. */
function inputOf(path: string, parameters: z.infer<typeof Operation>['parameters'], body: JsonSchema): JsonSchema {
  const choices = body.anyOf ?? body.oneOf;
  if (choices !== undefined) {
    if (parameters.length > 0) throw new Error(`${path} has parameters and a body with alternatives`);
    return body;
  }
  const fields = [
    ...parameters.map(({ name, schema }) => [name, schema] as const),
    ...Object.entries(body.properties ?? {}),
  ];
  if (new Set(fields.map(([name]) => name)).size < fields.length)
    throw new Error(`${path} has two fields with the same name`);
  return {
    type: 'object',
    properties: Object.fromEntries(fields),
    required: [...parameters.filter(({ required }) => required).map(({ name }) => name), ...(body.required ?? [])],
    additionalProperties: false,
  };
}

/** Routes that would get the same name, such as `GET` and `POST /relay/peers`, get one with method and parameters. */
function withDistinctNames(calls: readonly Call[]): readonly Call[] {
  const isShared = (name: string) => calls.filter((other) => other.name === name).length > 1;
  return calls.map((call) =>
    isShared(call.name)
      ? { ...call, name: callName(`/${call.method.toLowerCase()}${withoutBraces(call.path)}`) }
      : call,
  );
}

/** Turns `/relay/peers/{peer_id}` into `/relay/peers/by/peer/id`. */
function withoutBraces(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => `by/${name.replaceAll('_', '/')}`);
}

/** Turns `/ota/releases/{version}/download-url` into `otaReleasesDownloadUrl`. */
function callName(path: string): string {
  const words = path.replaceAll(/\{\w+\}/g, '').match(/\w+/g) ?? [];
  return words.map((word, index) => (index === 0 ? word : word.charAt(0).toUpperCase() + word.slice(1))).join('');
}

function typesOf({ name, method, path, input, output }: Call): string[] {
  const type = typeName(name);
  return [
    ...(hasFields(input)
      ? [`/** Input of \`${method} ${path}\`. */`, `export type ${type}Input = ${typescriptType(input)};`, '']
      : []),
    `/** Answer of \`${method} ${path}\`. */`,
    `export type ${type}Answer = ${typescriptType(output)};`,
    '',
  ];
}

function signatureOf({ name, input, operation }: Call): string {
  const { summary, description } = operation;
  const isOptional = hasFields(input) && input.anyOf === undefined && (input.required ?? []).length === 0;
  const given = hasFields(input) ? `input${isOptional ? '?' : ''}: ${typeName(name)}Input, ` : '';
  return [
    `/** ${summary}. ${description.replaceAll('*/', '*\\/')} */`,
    `${name}(${given}options?: CallOptions): Promise<${typeName(name)}Answer>;`,
  ].join('\n');
}

function hasFields(input: JsonSchema): boolean {
  return input.anyOf !== undefined || input.oneOf !== undefined || Object.keys(input.properties ?? {}).length > 0;
}

function typeName(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
