import * as z from 'zod';
import { throttleOf } from '../../../src/http/checks/throttle.ts';
import { ApiError, ERROR_STATUS, type ErrorCode } from '../../../src/http/errors.ts';
import type { RouteContract } from '../../../src/http/route-contract.ts';
import { commonErrors, routeContracts } from './route-contracts.ts';

const SECURITY: Readonly<Record<RouteContract['auth'], readonly Record<string, readonly string[]>[]>> = {
  public: [],
  cognito: [{ cognito: [] }],
  'cognito-optional': [{}, { cognito: [] }],
  factory: [{ factory: [] }],
  admin: [{ admin: [] }, { adminBearer: [] }],
  stripe: [{ stripe: [] }],
};

const DOMAINS = {
  account: "The signed-in user's profile, state and account",
  subscriptions: 'Subscriptions, and events from Stripe',
  plants: 'Plant diagnosis and identification by photo',
  fleet: 'Devices, their serials and owners',
  ota: 'Firmware releases and updates',
  relay: "An owner's phones and hubs: peers, their tokens, and the events that keep them in step",
  health: 'Health checks',
} as const;

/** Returns the OpenAPI 3.1 document of all routes. `x-auth` is the guard, for tools such as the smoke test. */
export function openApiDocument() {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const contract of routeContracts()) {
    const operations = paths[contract.path] ?? {};
    operations[contract.method.toLowerCase()] = operation(contract);
    paths[contract.path] = operations;
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'AutoWatering API',
      version: '1',
      description:
        'All errors have the same form: `{ error: { code, message, requestId, details? } }`. `code` is stable; `message` ' +
        'is written for users. The relay’s token routes answer in OAuth’s form. 503 carries `Retry-After`, the seconds to ' +
        'wait before trying again.',
    },
    servers: [{ url: '/' }],
    tags: Object.entries(DOMAINS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        cognito: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'A Cognito id or access token' },
        peer: {
          ...{ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          description: "A peer's access token from `POST /relay/token`",
        },
        factory: { type: 'apiKey', in: 'header', name: 'x-factory-token' },
        admin: { type: 'apiKey', in: 'header', name: 'x-admin-token' },
        stripe: { type: 'apiKey', in: 'header', name: 'Stripe-Signature', description: 'Signed over the raw body' },
        adminBearer: { type: 'http', scheme: 'bearer', description: 'The admin token' },
      },
      schemas: { Error: jsonSchema(ErrorSchema, 'output'), ...foreignErrors() },
    },
  };
}

const SUCCESS: Readonly<Record<string, string>> = { 302: 'Redirects to `Location`', 503: 'Degraded' };

const ErrorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), requestId: z.string(), details: z.unknown().optional() }),
});

function operation(contract: RouteContract) {
  const { summary, description, domain, auth, rateLimit, body, responses } = contract;
  const answerType = contract.answerKind === 'page' ? 'text/html' : 'application/json';
  const successes = Object.entries(responses).map(([status, schema]) => [
    status,
    {
      description: SUCCESS[status] ?? 'Done',
      ...(status === '302' ? {} : { content: { [answerType]: { schema: jsonSchema(schema, 'output') } } }),
    },
  ]);
  return {
    operationId: operationId(contract),
    summary,
    description,
    tags: [domain],
    security: [...SECURITY[auth], ...(contract.openToPeers === true ? [{ peer: [] }] : [])],
    'x-auth': auth,
    ...(contract.openToPeers === true ? { 'x-open-to-peers': true } : {}),
    ...(contract.premium === true ? { 'x-premium': true } : {}),
    'x-idempotent': contract.method === 'GET' || contract.idempotent === true,
    ...(rateLimit === undefined ? {} : { 'x-rate-limit': rateLimit }),
    'x-throttle': throttleOf(contract),
    parameters: parameters(contract),
    ...(auth === 'stripe' ? SIGNED_BODY : {}),
    ...(body === undefined
      ? {}
      : { requestBody: { required: needsBody(body), content: bodyContent(contract, jsonSchema(body, 'input')) } }),
    responses: { ...Object.fromEntries(successes), ...errorResponses(contract) },
  };
}

/** A request without a body counts as `{}`. */
function needsBody(body: z.ZodType): boolean {
  return !body.safeParse({}).success;
}

function bodyContent({ bodyKind }: RouteContract, schema: JsonSchema) {
  if (bodyKind === 'form') return { 'application/x-www-form-urlencoded': { schema } };
  if (bodyKind !== 'multipart') return { 'application/json': { schema } };
  const image = { type: 'string', format: 'binary', description: 'JPEG, PNG or WebP, 4 MiB at most' };
  return { 'multipart/form-data': { schema: { ...schema, properties: { image, ...schema.properties } } } };
}

const SIGNED_BODY = {
  requestBody: {
    required: true,
    content: {
      'application/json': { schema: { type: 'object', description: 'A snapshot event, as Stripe sends it' } },
    },
  },
};

/** Turns `GET /ota/latest` into `getOtaLatest`. */
function operationId({ method, path }: RouteContract): string {
  const words = path.split(/\W+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

function parameters({ params, query }: RouteContract) {
  return [...fieldsOf(params, 'path'), ...fieldsOf(query, 'query')];
}

function fieldsOf(schema: z.ZodType | undefined, place: 'path' | 'query') {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input');
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: field,
  }));
}

function errorResponses(contract: RouteContract) {
  const codes = [...new Set([...commonErrors(contract), ...contract.errors])].filter(isErrorCode).sort();
  const { errorForm } = contract;
  const said = (code: ErrorCode) => errorForm?.answer(new ApiError(code, ''));
  const statusOf = (code: ErrorCode): number => said(code)?.status ?? ERROR_STATUS[code];
  const wordFor = (code: ErrorCode): string => String(Object.values(said(code)?.body ?? { code })[0]);
  const schema = { $ref: `#/components/schemas/${errorForm?.name ?? 'Error'}` };
  const statuses = [...new Set(codes.map(statusOf))].sort((a, b) => a - b);
  return Object.fromEntries(
    statuses
      .filter((status) => !(String(status) in contract.responses))
      .map((status) => [
        status,
        {
          description: [...new Set(codes.filter((code) => statusOf(code) === status).map(wordFor))].sort().join(', '),
          content: { 'application/json': { schema } },
        },
      ]),
  );
}

/** The errors of routes that follow another standard. */
function foreignErrors() {
  const forms = routeContracts().flatMap(({ errorForm }) => (errorForm === undefined ? [] : [errorForm]));
  return Object.fromEntries(forms.map(({ name, schema }) => [name, jsonSchema(schema, 'output')]));
}

function isErrorCode(code: string): code is ErrorCode {
  return code in ERROR_STATUS;
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return JSON.parse(JSON.stringify(rest));
}
