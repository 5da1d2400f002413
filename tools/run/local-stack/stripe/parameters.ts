import qs from 'qs';
import * as z from 'zod';
import { LOCAL_PRICE } from './objects.ts';

/** An error response in Stripe's format. */
export class StripeApiError extends Error {
  override readonly name = 'StripeApiError';
  readonly status: 400 | 401 | 404 | 409;
  readonly body: { readonly error: Readonly<Record<string, string>> };

  constructor(status: StripeApiError['status'], message: string, fields: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.body = { error: { type: 'invalid_request_error', message, ...fields } };
  }
}

export function noSuch(what: string, id: string, param: string): StripeApiError {
  return new StripeApiError(param === 'id' ? 404 : 400, `No such ${what}: '${id}'`, {
    code: 'resource_missing',
    param,
  });
}

/** Parses form fields with Stripe's nesting (`line_items[0][price]`), and refuses what Stripe would refuse. */
export function readFields<T>(encoded: string, schema: z.ZodType<T>): T {
  const fields = qs.parse(encoded, { depth: 8, parameterLimit: 500, plainObjects: false });
  const result = schema.safeParse(fields, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw new StripeApiError(400, 'Invalid request');
  const inside = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    const param = nested([...inside, issue.keys[0] ?? '']);
    throw new StripeApiError(400, `Received unknown parameter: ${param}`, { code: 'parameter_unknown', param });
  }
  const param = nested(inside);
  if (issue.code === 'invalid_type' && issue.input === undefined && !hasValue(fields, inside)) {
    throw new StripeApiError(400, `Missing required param: ${param}.`, { code: 'parameter_missing', param });
  }
  const given = typeof issue.input === 'string' ? issue.input : param;
  throw new StripeApiError(400, `${issue.message}: ${given}`, { code: codeOf(issue.message), param });
}

function hasValue(fields: unknown, path: readonly string[]): boolean {
  let value = fields;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return false;
    value = Object.entries(value).find(([name]) => name === key)?.[1];
  }
  return value !== undefined;
}

function nested([first = '', ...rest]: readonly string[]): string {
  return `${first}${rest.map((part) => `[${part}]`).join('')}`;
}

const CODES: Readonly<Record<string, string>> = {
  'Not a valid URL': 'url_invalid',
  'Invalid email address': 'email_invalid',
  'Invalid integer': 'parameter_invalid_integer',
};
function codeOf(message: string): string {
  return CODES[message] ?? 'parameter_invalid';
}

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+$/, 'Invalid integer')
    .transform(Number)
    .refine((value) => value >= min && value <= max, 'Invalid integer');
const bool = z.enum(['true', 'false'], 'Invalid boolean').transform((text) => text === 'true');
/** Stripe accepts only http(s) and keeps its own template in the text. */
const url = z
  .string()
  .max(5000, 'Not a valid URL')
  .refine((text) => /^https?:\/\/[^/?#]+/.test(text) && URL.canParse(text), 'Not a valid URL');
const metadata = z
  .record(z.string().max(40), z.string().max(500))
  .refine((entries) => Object.keys(entries).length <= 50, 'Metadata can have up to 50 keys');
const page = { limit: integer(1, 100).optional(), starting_after: z.string().optional() };
const email = z
  .string()
  .max(512)
  .regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'Invalid email address');

export const Nothing = z.strictObject({});
export const CustomerFields = z.strictObject({
  email: email.optional(),
  name: z.string().optional(),
  metadata: metadata.optional(),
});
export const CustomerList = z.strictObject({ email: z.string().optional(), ...page });
export const SessionFields = z.strictObject({
  mode: z.literal('subscription'),
  customer: z.string(),
  client_reference_id: z.string().max(200).optional(),
  line_items: z.tuple([
    z.strictObject({ price: z.literal(LOCAL_PRICE.id, 'No such price'), quantity: integer(1, 1_000_000) }),
  ]),
  success_url: url,
  cancel_url: url.optional(),
  allow_promotion_codes: bool.optional(),
  payment_method_collection: z.enum(['always', 'if_required']).optional(),
  expires_at: integer(0, 99_999_999_999).optional(),
  metadata: metadata.optional(),
  subscription_data: z
    .strictObject({
      metadata: metadata.optional(),
      trial_period_days: integer(1, 730).optional(),
      trial_settings: z
        .strictObject({
          end_behavior: z.strictObject({ missing_payment_method: z.enum(['cancel', 'create_invoice', 'pause']) }),
        })
        .optional(),
    })
    .optional(),
});
export const SessionList = z.strictObject({
  customer: z.string().optional(),
  status: z.enum(['open', 'complete', 'expired']).optional(),
  ...page,
});
export const SubscriptionList = z.strictObject({
  customer: z.string().optional(),
  status: z
    .enum([
      'active',
      'all',
      'canceled',
      'ended',
      'incomplete',
      'incomplete_expired',
      'past_due',
      'paused',
      'trialing',
      'unpaid',
    ])
    .optional(),
  price: z.string().optional(),
  ...page,
});
export const SubscriptionUpdate = z.strictObject({
  cancel_at_period_end: bool.optional(),
  metadata: metadata.optional(),
});
export const PortalFields = z.strictObject({ customer: z.string(), return_url: url.optional() });
export const EventList = z.strictObject({
  created: z
    .strictObject({ gt: integer(0, 1e11), gte: integer(0, 1e11), lt: integer(0, 1e11), lte: integer(0, 1e11) })
    .partial()
    .optional(),
  types: z.array(z.string()).max(20, 'Too many types').optional(),
  type: z.string().optional(),
  ...page,
});
