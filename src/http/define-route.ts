import type * as z from 'zod';
import type { Log } from '../platform/observability/log.ts';
import { type Auth, type Caller, type CallerByAuth, isExpected, type PeerCaller } from './caller.ts';
import { type DeferredSchema, type FieldsSchema, isDeferred, type RawFields } from './deferred-schema.ts';
import { type FieldFault, fieldFaults, validationFailed } from './field-faults.ts';
import type { DeclaredContract, Responses, RouteContract, Status } from './route-contract.ts';

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

export interface Reply<S extends Status = Status, B = unknown> {
  readonly status: S;
  /** Sent as JSON; null for redirects, which have no body. */
  readonly body: B;
  readonly headers?: Readonly<Record<string, string>>;
}

type ReplyOf<R extends Responses> = {
  [S in keyof R & Status]: Reply<S, z.input<NonNullable<R[S]>>>;
}[keyof R & Status];

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
        if (!isExpected(caller, contract)) {
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

/** Stations, tools and Stripe. Their messages may name fields; the app shows its messages to people. */
const MACHINES: readonly Auth[] = ['factory', 'admin', 'stripe'];

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
