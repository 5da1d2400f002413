import type * as z from 'zod';
import type { UserClaims } from '../platform/aws/cognito-tokens.ts';
import type { Log } from '../platform/observability/log.ts';
import type { Throttle } from './checks/throttle.ts';
import { ApiError, type ErrorCode } from './errors.ts';

/** Who may call. `cognito-optional` takes an anonymous caller too, but not a bad token; `stripe` checks a signature. */
export type Auth = 'public' | 'cognito' | 'cognito-optional' | 'factory' | 'admin' | 'stripe';

export type User = { readonly kind: 'user' } & UserClaims;
/** Stripe itself, with the JSON that it has signed: there is no separate body. */
export type StripeCaller = { readonly kind: 'stripe'; readonly payload: unknown };
/** A station of the factory line, by the name that it gives itself. */
export type FactoryCaller = { readonly kind: 'factory'; readonly station: string };
export type Caller = { readonly kind: 'anonymous' | 'admin' } | User | FactoryCaller | StripeCaller;

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

/** A fixed window, counted in DynamoDB per caller (the user, else the address), or per address in any case. */
export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
  readonly per?: 'address';
  /** Besides the caller's own: how many requests of all callers behind one address pass in a window. */
  readonly andPerAddress?: number;
}

/** A file of a multipart body, by the name of its part. */
export interface UploadedFile {
  readonly part: string;
  readonly bytes: Uint8Array;
}

/** What a handler knows of the request besides its input. */
export interface RequestContext {
  readonly requestId: string;
  /** Milliseconds since 1970, one time for the whole request. */
  readonly now: number;
  readonly log: Log;
  /** Where this API is reached from outside, without a slash at the end. */
  readonly apiBaseUrl: string;
  /** Aborted when the caller has hung up, where the adapter can tell. */
  readonly signal: AbortSignal;
}

export type Status = 200 | 201 | 302 | 503;

export interface Reply<S extends Status = Status, B = unknown> {
  readonly status: S;
  /** Sent as JSON; null with a redirect, which has no body. */
  readonly body: B;
  readonly headers?: Readonly<Record<string, string>>;
}

type Responses = Partial<Record<Status, z.ZodType>>;
type ReplyOf<R extends Responses> = {
  [S in keyof R & Status]: Reply<S, z.input<NonNullable<R[S]>>>;
}[keyof R & Status];

type OutputOf<S> = S extends z.ZodType ? z.output<S> : undefined;

export interface RouteInput<A extends Auth, P, Q, B> {
  readonly caller: CallerByAuth[A];
  readonly params: OutputOf<P>;
  readonly query: OutputOf<Q>;
  readonly body: OutputOf<B>;
  readonly files: readonly UploadedFile[];
}

/** A request as it arrives, before any schema has seen it. */
export interface RawInput {
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Empty but for a multipart body. */
  readonly files: readonly UploadedFile[];
}

/** What a route promises, as data: the app, the docs, the template and the smoke test all derive from it. */
export interface RouteContract {
  readonly method: 'GET' | 'POST';
  /** Parameters in braces, as API Gateway and OpenAPI write them. */
  readonly path: `/${string}`;
  readonly auth: Auth;
  /** Whether only premium users may call it. */
  readonly premium?: boolean;
  /** Whether a POST may be sent again when its answer was lost: twice has the effect of once. GETs always may. */
  readonly idempotent?: boolean;
  /** How the body comes; JSON unless it says otherwise. */
  readonly bodyKind?: 'multipart';
  readonly domain: 'account' | 'subscriptions' | 'plants' | 'fleet' | 'ota' | 'health';
  readonly summary: string;
  /** The promise in full, in Markdown, for the API page. */
  readonly description: string;
  readonly rateLimit?: RateLimit;
  /** What the gateway lets through of all callers together; left out, what its kind of route gets. */
  readonly throttle?: Throttle;
  /** Bytes; a POST without it takes 64 KiB of JSON. */
  readonly bodyLimit?: number;
  /** What a caller is told whose body is over the limit, where there is more to say than how large it may be. */
  readonly bodyTooLarge?: () => ApiError;
  readonly params?: z.ZodType;
  readonly query?: z.ZodType;
  readonly body?: z.ZodType;
  readonly responses: Responses;
  /** The codes this route answers besides those that every route of its kind can answer. */
  readonly errors: readonly ErrorCode[];
  /** Whether a user whose account is deleted, or being deleted, may still call it. */
  readonly openToDeletedAccounts?: boolean;
}

/** A contract whose answers may be loaded by whoever wants to see them: checking is for tests, and describing for documents. */
export type DeclaredContract = Omit<RouteContract, 'responses'> & {
  readonly responses: Responses | (() => Promise<Responses>);
};

/** The schemas of a route's answers, by status. */
export async function responsesOf({ responses }: DeclaredContract): Promise<Responses> {
  return typeof responses === 'function' ? responses() : responses;
}

export interface Route {
  readonly contract: DeclaredContract;
  /** Method and path, as `GET /health`: its name in logs, metrics and limits. */
  readonly name: string;
  /** Checks the input against the contract and runs the handler. */
  run(input: RawInput, context: RequestContext): Promise<Reply>;
}

type ContractFor<A extends Auth, P, Q, B, R extends Responses> = Omit<
  RouteContract,
  'auth' | 'params' | 'query' | 'body' | 'responses'
> & {
  readonly auth: A;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly responses: R | (() => Promise<R>);
};

/** The input of a handler once its types are forgotten: what `defineRoute` knows inside. */
interface ErasedInput {
  readonly caller: Caller;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly files: readonly UploadedFile[];
}

/** A contract that waits for its handler, whose input and output types follow from the schemas. */
interface OpenRoute<A extends Auth, P, Q, B, R extends Responses> {
  handledBy(handle: (input: RouteInput<A, P, Q, B>, context: RequestContext) => Promise<ReplyOf<R>>): Route;
}

/** Declares a route: `defineRoute(contract).handledBy(handler)`. */
export function defineRoute<
  const A extends Auth,
  R extends Responses,
  P extends z.ZodType | undefined = undefined,
  Q extends z.ZodType | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
>(contract: ContractFor<A, P, Q, B, R>): OpenRoute<A, P, Q, B, R>;
export function defineRoute(contract: DeclaredContract) {
  return {
    handledBy: (handle: (input: ErasedInput, context: RequestContext) => Promise<Reply>): Route => ({
      contract,
      name: `${contract.method} ${contract.path}`,
      async run(input, context) {
        const { caller } = input;
        if (!EXPECTED_CALLERS[contract.auth].includes(caller.kind)) {
          throw new Error(`the guard let a ${caller.kind} caller through to ${contract.path}`);
        }
        const params = parsePart(contract.params, 'path', input.params);
        const query = parsePart(contract.query, 'query', input.query);
        const body = parsePart(contract.body, 'body', input.body);
        if (!params.ok || !query.ok || !body.ok) {
          throw validationFailed(
            [params, query, body].flatMap((part) => (part.ok ? [] : part.faults)),
            MACHINES.includes(contract.auth) ? 'machine' : 'person',
          );
        }
        const { files } = input;
        return handle({ caller, params: params.value, query: query.value, body: body.value, files }, context);
      },
    }),
  };
}

interface FieldFault {
  readonly in: 'path' | 'query' | 'body';
  readonly field: string;
  readonly message: string;
}

const MOST_FAULTS = 20;

/** Stations, tools and Stripe: their messages may name fields. The app shows its messages to a person. */
const MACHINES: readonly Auth[] = ['factory', 'admin', 'stripe'];

/** The fields are in the details for everybody; only a machine's message names one. */
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

function parsePart(schema: z.ZodType | undefined, part: FieldFault['in'], value: unknown): ParsedPart {
  if (schema === undefined) return { ok: true, value: undefined };
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const faults = result.error.issues.map((issue) => ({
    in: part,
    field: issue.path.map(String).join('.').slice(0, 200),
    message: issue.message.slice(0, 300),
  }));
  return { ok: false, faults };
}
