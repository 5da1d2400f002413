import type * as z from 'zod';
import type { UserClaims } from '../platform/aws/cognito/cognito-tokens.ts';
import type { PeerId, Uid } from '../platform/ids.ts';
import type { Log } from '../platform/observability/log.ts';
import type { Throttle } from './checks/throttle.ts';
import { ApiError, type ErrorCode, type ErrorForm } from './errors.ts';
import { type FieldFault, fieldFaults } from './field-faults.ts';

/** Who may call. `cognito-optional` allows anonymous callers but rejects bad tokens; `stripe` checks a signature. */
export type Auth = 'public' | 'cognito' | 'cognito-optional' | 'factory' | 'admin' | 'stripe';

export type User = { readonly kind: 'user' } & UserClaims;
/** One of a user's own installations, by a token of the relay; it is no sign-in of the user's. */
export interface PeerCaller {
  readonly kind: 'peer';
  readonly uid: Uid;
  readonly peerId: PeerId;
}
/** Stripe, with the JSON it signed; there is no separate body. */
export type StripeCaller = { readonly kind: 'stripe'; readonly payload: unknown };
/** A factory station, under the name it reports. */
export type FactoryCaller = { readonly kind: 'factory'; readonly station: string };
export type Caller = { readonly kind: 'anonymous' | 'admin' } | User | PeerCaller | FactoryCaller | StripeCaller;

/** Whether the caller acts for a user: the user, or one of the user's peers. */
export function isPersonal(caller: Caller): caller is User | PeerCaller {
  return caller.kind === 'user' || caller.kind === 'peer';
}

interface CallerByAuth {
  readonly public: { readonly kind: 'anonymous' };
  readonly cognito: User;
  readonly 'cognito-optional': User | { readonly kind: 'anonymous' };
  readonly factory: FactoryCaller;
  readonly admin: { readonly kind: 'admin' };
  readonly stripe: StripeCaller;
}

const EXPECTED_CALLERS: { readonly [A in Auth]: readonly Caller['kind'][] } = {
  public: ['anonymous'],
  cognito: ['user'],
  'cognito-optional': ['user', 'anonymous'],
  factory: ['factory'],
  admin: ['admin'],
  stripe: ['stripe'],
};

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

/** A file in a multipart body. */
export interface UploadedFile {
  readonly part: string;
  readonly bytes: Uint8Array;
}

/** What a handler knows about the request besides its input. */
export interface RequestContext {
  readonly requestId: string;
  /** Milliseconds since 1970, the same throughout the request. */
  readonly now: number;
  readonly log: Log;
  /** This API's public address, without a trailing slash. */
  readonly apiBaseUrl: string;
  /** Aborts when the caller disconnects, if the adapter can tell. */
  readonly signal: AbortSignal;
}

export type Status = 200 | 201 | 302 | 503;

export interface Reply<S extends Status = Status, B = unknown> {
  readonly status: S;
  /** Sent as JSON; null for redirects, which have no body. */
  readonly body: B;
  readonly headers?: Readonly<Record<string, string>>;
}

type Responses = Partial<Record<Status, z.ZodType>>;
type ReplyOf<R extends Responses> = {
  [S in keyof R & Status]: Reply<S, z.input<NonNullable<R[S]>>>;
}[keyof R & Status];

/** Fields of a path or query, as sent. */
export type RawFields = Readonly<Record<string, string>>;

/** The schema of a path or query that is loaded on demand. See `deferred`. */
export interface DeferredSchema<S extends z.ZodType = z.ZodType> {
  load(): Promise<S>;
  accept(raw: RawFields): z.output<S> | undefined;
}

/**
 * For routes that are often a container's first: the schema library is loaded only for unusual requests and for docs.
 *
 * @param accept returns exactly what the schema would return, or undefined when it isn't sure. The schema then decides,
 *   so refusals are always its own.
 */
export function deferred<S extends z.ZodType>(
  load: () => Promise<S>,
  accept: (raw: RawFields) => z.output<S> | undefined,
): DeferredSchema<S> {
  return { load, accept };
}

type FieldsSchema = z.ZodType | DeferredSchema;

type OutputOf<S> = S extends z.ZodType ? z.output<S> : S extends DeferredSchema<infer T> ? z.output<T> : undefined;

export interface RouteInput<A extends Auth, O, P, Q, B> {
  readonly caller: CallerByAuth[A] | (O extends true ? PeerCaller : never);
  readonly params: OutputOf<P>;
  readonly query: OutputOf<Q>;
  readonly body: OutputOf<B>;
  readonly files: readonly UploadedFile[];
}

/** A request's input before validation. */
export interface RawInput {
  readonly caller: Caller;
  readonly params: RawFields;
  readonly query: RawFields;
  readonly body: unknown;
  /** Empty unless the body is multipart. */
  readonly files: readonly UploadedFile[];
}

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

async function loadSchema(schema: FieldsSchema): Promise<z.ZodType> {
  return isDeferred(schema) ? schema.load() : schema;
}

function isDeferred(schema: FieldsSchema): schema is DeferredSchema {
  return 'accept' in schema;
}

/** Returns a route's response schemas by status. */
export async function responsesOf({ responses }: DeclaredContract): Promise<Responses> {
  return typeof responses === 'function' ? responses() : responses;
}

export interface Route {
  readonly contract: DeclaredContract;
  /** Method and path, e.g. `GET /health`: its name in logs, metrics and limits. */
  readonly name: string;
  /** Validates the input and runs the handler. */
  run(input: RawInput, context: RequestContext): Promise<Reply>;
}

type ContractFor<A extends Auth, O extends boolean | undefined, P, Q, B, R extends Responses> = Omit<
  RouteContract,
  'auth' | 'openToPeers' | 'params' | 'query' | 'body' | 'responses'
> & {
  readonly auth: A;
  readonly openToPeers?: O;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly responses: R | (() => Promise<R>);
};

/** A handler's input without its types, for the implementation of `defineRoute`. */
interface ErasedInput {
  readonly caller: Caller;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly files: readonly UploadedFile[];
}

/** A contract without its handler, whose input and output types follow from the schemas. */
interface OpenRoute<A extends Auth, O, P, Q, B, R extends Responses> {
  handledBy(handle: (input: RouteInput<A, O, P, Q, B>, context: RequestContext) => Promise<ReplyOf<R>>): Route;
}

/** Declares a route: `defineRoute(contract).handledBy(handler)`. */
export function defineRoute<
  const A extends Auth,
  R extends Responses,
  const O extends boolean | undefined = undefined,
  P extends FieldsSchema | undefined = undefined,
  Q extends FieldsSchema | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(contract: ContractFor<A, O, P, Q, B, R>): OpenRoute<A, O, P, Q, B, R>;
export function defineRoute(contract: DeclaredContract) {
  return {
    handledBy: (handle: (input: ErasedInput, context: RequestContext) => Promise<Reply>): Route => ({
      contract,
      name: `${contract.method} ${contract.path}`,
      async run(input, context) {
        const { caller } = input;
        const isExpected =
          caller.kind === 'peer'
            ? contract.openToPeers === true
            : EXPECTED_CALLERS[contract.auth].includes(caller.kind);
        if (!isExpected) {
          throw new Error(`the guard let a ${caller.kind} caller through to ${contract.path}`);
        }
        const params = await parseFields(contract.params, 'path', input.params);
        const query = await parseFields(contract.query, 'query', input.query);
        const body = parsePart(contract.body, 'body', input.body);
        if (!params.ok || !query.ok || !body.ok) {
          throw validationFailed(
            [params, query, body].flatMap((part) => (part.ok ? [] : part.faults)),
            MACHINES.includes(contract.auth) || contract.errorForm !== undefined ? 'machine' : 'person',
          );
        }
        const { files } = input;
        return handle({ caller, params: params.value, query: query.value, body: body.value, files }, context);
      },
    }),
  };
}

const MOST_FAULTS = 20;

/** Stations, tools and Stripe. Their messages may name fields; the app shows its messages to people. */
const MACHINES: readonly Auth[] = ['factory', 'admin', 'stripe'];

/** Lists the invalid fields in the details. Only messages for machines name one. */
export function validationFailed(faults: readonly FieldFault[], reader: 'person' | 'machine'): ApiError {
  const details = faults.slice(0, MOST_FAULTS);
  if (reader === 'person') {
    return new ApiError('validation_failed', 'Something is not filled in right. Please check it and try again.', {
      details,
    });
  }
  const [first] = faults;
  const where = first === undefined || first.field === '' ? 'The request' : `“${first.field}”`;
  return new ApiError('validation_failed', `${where} is not valid: ${first?.message ?? 'unknown fault'}`, { details });
}

type ParsedPart =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly faults: readonly FieldFault[] };

async function parseFields(
  schema: FieldsSchema | undefined,
  part: FieldFault['in'],
  raw: RawFields,
): Promise<ParsedPart> {
  if (schema === undefined || !isDeferred(schema)) return parsePart(schema, part, raw);
  const accepted = schema.accept(raw);
  return accepted === undefined ? parsePart(await schema.load(), part, raw) : { ok: true, value: accepted };
}

function parsePart(schema: z.ZodType | undefined, part: FieldFault['in'], value: unknown): ParsedPart {
  if (schema === undefined) return { ok: true, value: undefined };
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, faults: fieldFaults(part, result.error.issues) };
}
