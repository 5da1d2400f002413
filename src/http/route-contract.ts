import type * as z from 'zod';
import type { Auth } from './caller.ts';
import { type FieldsSchema, loadSchema } from './deferred-schema.ts';
import type { ApiError, ErrorCode, ErrorForm } from './errors.ts';

/** A route's contract as data. The app, the docs, the template and the smoke test derive from it. */
export interface RouteContract {
  readonly method: 'GET' | 'POST';
  /** With parameters in braces, like in API Gateway and OpenAPI. */
  readonly path: `/${string}`;
  readonly auth: Auth;
  /** Whether a user's peers may call it with their own tokens too. Only for routes that users may call. */
  readonly openToPeers?: boolean;
  /** Whether it requires premium. */
  readonly premium?: boolean;
  /** Whether a POST may be repeated when its answer was lost. GETs always may. */
  readonly idempotent?: boolean;
  /** JSON by default. `form` is `application/x-www-form-urlencoded`. With `none` a POST's body is not read. */
  readonly bodyKind?: 'multipart' | 'form' | 'none';
  /** Whether JSON may come with `Content-Encoding: gzip`. The body limit holds before and after inflating. */
  readonly gzip?: true;
  /** JSON by default. `page` is HTML for people; its reply names the type itself. */
  readonly answerKind?: 'page';
  readonly domain:
    | 'account'
    | 'subscriptions'
    | 'plants'
    | 'fleet'
    | 'ota'
    | 'relay'
    | 'telemetry'
    | 'commands'
    | 'notifications'
    | 'health';
  readonly summary: string;
  /** The full contract in Markdown, for the API page. */
  readonly description: string;
  readonly rateLimit?: RateLimit;
  /** The gateway's limit for all callers together. Defaults to that of the route's kind. */
  readonly throttle?: Throttle;
  /** In bytes; 64 KiB by default. */
  readonly bodyLimit?: number;
  /** The error for a body over the limit. By default it only names the limit. */
  readonly bodyTooLarge?: () => ApiError;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly responses: Responses;
  /** Error codes besides those that every route of its kind can return. */
  readonly errors: readonly ErrorCode[];
  /** For routes of a foreign standard: its own form of errors. */
  readonly errorForm?: ErrorForm;
  /** Whether users may call it after their account's deletion has begun. */
  readonly openToDeletedAccounts?: boolean;
}

/**
 * A fixed window, counted in DynamoDB per user, or per address for anonymous callers and `per: 'address'`. With `per: 'device'`
 * the handler counts what it took of the user's device, in an item that it writes anyway.
 */
export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
  readonly per?: 'address' | 'device';
  /** A second limit per window, shared by all callers behind one address. */
  readonly andPerAddress?: number;
}

/** The gateway's limit for a route, for all callers together. Above it, the gateway itself answers 429. */
export interface Throttle {
  readonly requestsPerSecond: number;
  /** How many requests may arrive at the same moment. */
  readonly burst: number;
}

export type Status = 200 | 201 | 302 | 503;

/** The schemas of a route's answers. */
export type Responses = Partial<Record<Status, z.ZodType>>;

/** A contract whose schemas may be loaded on demand. Only tests and the docs need those of responses. */
export type DeclaredContract = Omit<RouteContract, 'params' | 'query' | 'responses'> & {
  readonly params?: FieldsSchema | undefined;
  readonly query?: FieldsSchema | undefined;
  readonly responses: Responses | (() => Promise<Responses>);
};

/** Returns a contract with all of its schemas. */
export async function loadContract(declared: DeclaredContract): Promise<RouteContract> {
  const { params, query, ...contract } = declared;
  return {
    ...contract,
    ...(params === undefined ? {} : { params: await loadSchema(params) }),
    ...(query === undefined ? {} : { query: await loadSchema(query) }),
    responses: await responsesOf(declared),
  };
}

/** Returns a route's response schemas by status. */
export async function responsesOf({ responses }: DeclaredContract): Promise<Responses> {
  return typeof responses === 'function' ? responses() : responses;
}
