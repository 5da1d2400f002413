import * as z from 'zod';

/** The part of JSON Schema that the route table uses. Other keywords only narrow a value. */
export interface JsonSchema {
  readonly type?: string | readonly string[] | undefined;
  readonly format?: string | undefined;
  readonly description?: string | undefined;
  readonly const?: unknown;
  readonly enum?: readonly unknown[] | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly JsonSchema[] | undefined;
  readonly items?: JsonSchema | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly additionalProperties?: boolean | JsonSchema | undefined;
}

export const JsonSchema: z.ZodType<JsonSchema> = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  description: z.string().optional(),
  const: z.unknown().optional(),
  enum: z.array(z.unknown()).optional(),
  get anyOf() {
    return z.array(JsonSchema).optional();
  },
  get oneOf() {
    return z.array(JsonSchema).optional();
  },
  get items() {
    return JsonSchema.optional();
  },
  get properties() {
    return z.record(z.string(), JsonSchema).optional();
  },
  required: z.array(z.string()).optional(),
  get additionalProperties() {
    return z.union([z.boolean(), JsonSchema]).optional();
  },
});

/**
 * Converts a JSON Schema to a TypeScript type; `format: binary` becomes `Blob`.
 *
 * @throws for unsupported schemas: better no client than one with wrong types
 */
export function typescriptType(schema: JsonSchema): string {
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return union(schema.enum.map((value) => JSON.stringify(value)));
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return union(choices.map(typescriptType));
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (types.length === 0 && schema.properties === undefined) return 'unknown';
  return union(types.map((type) => typeOf(type, schema)));
}

function typeOf(type: string, schema: JsonSchema): string {
  switch (type) {
    case 'string':
      return schema.format === 'binary' ? 'Blob' : 'string';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
    case 'null':
      return type;
    case 'array':
      return `ReadonlyArray<${typescriptType(schema.items ?? {})}>`;
    case 'object':
      return objectType(schema);
    default:
      throw new Error(`no TypeScript type for a schema of type "${type}"`);
  }
}

function objectType({ properties = {}, required = [], additionalProperties = true }: JsonSchema): string {
  const fields = Object.entries(properties).map(([name, field]) => {
    const isRequired = required.includes(name);
    // Allow undefined even with `exactOptionalPropertyTypes`, because JSON leaves it out.
    const type = typescriptType(field);
    const key = `${propertyName(name)}${isRequired ? '' : '?'}`;
    return `${comment(field)}readonly ${key}: ${isRequired || type === 'unknown' ? type : `${type} | undefined`};`;
  });
  if (fields.length === 0 && additionalProperties === false) return 'Readonly<Record<string, never>>';
  if (fields.length === 0) return `Readonly<Record<string, ${restType(additionalProperties)}>>`;
  // An index signature's type also applies to the named fields.
  const rest =
    additionalProperties === false || additionalProperties === true ? '' : ' readonly [field: string]: unknown;';
  return `{ ${fields.join('\n')}${rest} }`;
}

function restType(additional: boolean | JsonSchema): string {
  return typeof additional === 'boolean' ? 'unknown' : typescriptType(additional);
}

function comment({ description }: JsonSchema): string {
  return description === undefined ? '' : `/** ${description.replaceAll('*/', '*\\/')} */\n`;
}

function propertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function union(types: readonly string[]): string {
  return [...new Set(types)].join(' | ');
}
