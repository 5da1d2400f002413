import * as z from 'zod';
import type { RouteContract } from '../../../src/http/route-contract.ts';
import { routeContracts } from './route-contracts.ts';

/** The header for each kind of caller. Values come from the collection's variables, which users fill in. */
const HEADERS: Readonly<Record<RouteContract['auth'], readonly (readonly [string, string])[]>> = {
  public: [],
  cognito: [['Authorization', 'Bearer {{idToken}}']],
  'cognito-optional': [['Authorization', 'Bearer {{idToken}}']],
  factory: [['x-factory-token', '{{factoryToken}}']],
  admin: [['x-admin-token', '{{adminToken}}']],
  stripe: [['Stripe-Signature', '{{stripeSignature}}']],
};

const VARIABLES = {
  baseUrl: 'http://127.0.0.1:3000',
  idToken: '',
  factoryToken: '',
  adminToken: '',
  stripeSignature: '',
} as const;

/** Returns a Postman collection (format 2.1) with a request for every route, in a folder per domain. */
export function postmanCollection() {
  const domains = new Map<string, RouteContract[]>();
  for (const contract of routeContracts()) {
    domains.set(contract.domain, [...(domains.get(contract.domain) ?? []), contract]);
  }
  return {
    info: {
      name: 'AutoWatering',
      description:
        'Generated from the route table by `npm run docs`. Fill in the variables: `npm run dev` prints the local ones.',
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    variable: Object.entries(VARIABLES).map(([key, value]) => ({ key, value, type: 'string' })),
    item: [...domains].map(([name, contracts]) => ({ name, item: contracts.map(requestItem) })),
  };
}

function requestItem(contract: RouteContract) {
  const { method, path, auth, summary, description, bodyKind } = contract;
  const isForm = bodyKind === 'multipart';
  const hasJson = method === 'POST' && bodyKind === undefined;
  const query = fieldsOf(contract.query).map(([key, { isRequired, sample }]) => ({
    ...{ key, value: String(sample), disabled: !isRequired },
  }));
  const headers = [...HEADERS[auth], ...(hasJson ? [['Content-Type', 'application/json'] as const] : [])];
  return {
    name: `${method} ${path}`,
    request: {
      method,
      description: `${summary}. ${description}`,
      header: headers.map(([key, value]) => ({ key, value })),
      url: {
        raw: `{{baseUrl}}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`,
        host: ['{{baseUrl}}'],
        path: path
          .slice(1)
          .replaceAll(/\{(\w+)\}/g, ':$1')
          .split('/'),
        ...(query.length > 0 && { query }),
        ...(contract.params !== undefined && {
          variable: fieldsOf(contract.params).map(([key, { sample }]) => ({ key, value: String(sample) })),
        }),
      },
      ...(hasJson && { body: { mode: 'raw', raw: jsonBody(contract), options: { raw: { language: 'json' } } } }),
      ...(isForm && { body: { mode: 'formdata', formdata: formFields(contract) } }),
      ...(bodyKind === 'form' && { body: { mode: 'urlencoded', urlencoded: textFields(contract) } }),
    },
  };
}

/** Returns a sample body with the required fields. Optional ones are in the description. */
function jsonBody({ body }: RouteContract): string {
  const required = fieldsOf(body).filter(([, { isRequired }]) => isRequired);
  return JSON.stringify(Object.fromEntries(required.map(([name, { sample }]) => [name, sample])), null, 2);
}

function formFields(contract: RouteContract) {
  return [{ key: 'image', type: 'file', src: [] }, ...textFields(contract)];
}

function textFields({ body }: RouteContract) {
  return fieldsOf(body).map(([key, { isRequired, sample }]) => ({
    ...{ key, type: 'text', value: String(sample), disabled: !isRequired },
  }));
}

interface Field {
  readonly isRequired: boolean;
  readonly sample: unknown;
}

const JsonSchema = z.looseObject({
  properties: z.record(z.string(), z.looseObject({})).default({}),
  required: z.array(z.string()).default([]),
});

function fieldsOf(schema: z.ZodType | undefined): readonly (readonly [string, Field])[] {
  if (schema === undefined) return [];
  const { properties, required } = JsonSchema.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  return Object.entries(properties).map(([name, field]) => [
    name,
    { isRequired: required.includes(name), sample: sampleOf(field) },
  ]);
}

/** Returns a sample value of the right type: a constant or the first choice if the schema has one. */
function sampleOf(field: Readonly<Record<string, unknown>>): unknown {
  if (field['const'] !== undefined) return field['const'];
  if (Array.isArray(field['enum'])) return field['enum'][0];
  if (field['default'] !== undefined) return field['default'];
  switch (field['type']) {
    case 'integer':
    case 'number':
      return field['minimum'] ?? 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return '';
  }
}
