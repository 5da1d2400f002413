import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import { getPath } from 'hono/utils/url';
import type { Uid } from '../platform/ids.ts';
import { type Log, logWith } from '../platform/observability/log.ts';
import type { Services } from '../platform/services.ts';
import { createAuthenticate } from './authenticate.ts';
import type { Caller, RateLimit, RawInput, Reply, RequestContext, Route, RouteContract } from './define-route.ts';
import { ApiError, errorBody } from './errors.ts';
import { readJsonBody } from './json-body.ts';
import { originPolicy } from './origins.ts';
import { normalizePath, routerPath } from './path.ts';
import { type Allow, createAllow } from './rate-limit.ts';
import { addressOf, apiBaseUrlOf, type Bindings, stageOf } from './request-origin.ts';
import { type RequestVariables, requestScope } from './request-scope.ts';

export type AppEnv = { readonly Bindings: Bindings; readonly Variables: RequestVariables };
export type App = Hono<AppEnv>;

/** What the router has to ask a domain, without knowing it. */
export interface RouterHooks {
  /** Whether the account is deleted, or its deletion is under way. */
  isAccountDeleted(uid: Uid): Promise<boolean>;
  /** Whether the user has premium, as far as is stored: nobody waits for Stripe here. */
  isPremium(uid: Uid): Promise<boolean>;
  /** Notes that the user was here; never fails. */
  noteActivity(uid: Uid): Promise<void>;
}

export const DEFAULT_BODY_LIMIT = 64 * 1024;
const PREFLIGHT_SECONDS = 3_600;

/** Turns the route table into the running app: the one place where a request's way through the checks is laid out. */
export function createRouter(routes: readonly Route[], services: Services, hooks: RouterHooks): App {
  const { config } = services;
  const isAllowedOrigin = originPolicy(config.allowedOrigins);
  const app: App = new Hono<AppEnv>({
    getPath: (request, options) => normalizePath(getPath(request), stageOf(options?.env)),
  });
  app.use(requestScope(services));
  app.onError((error, c) => answerError(error, c, services.log));
  app.notFound((c) =>
    answerError(new ApiError('not_found', 'We could not find what you are looking for.'), c, services.log),
  );
  app.use(corsFor(routes, isAllowedOrigin));
  const serve = createServe(services, hooks, isAllowedOrigin);
  for (const route of routes) {
    const { method, path } = route.contract;
    if (method === 'POST') app.post(routerPath(path), limitBody(route.contract), serve(route));
    else app.get(routerPath(path), serve(route));
  }
  for (const [path, methods] of methodsByPath(routes)) {
    app.all(routerPath(path), () => {
      throw new ApiError('method_not_allowed', 'This does not work here. Please update the app.', {
        details: { allowed: methods },
        headers: { Allow: [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ') },
      });
    });
  }
  return app;
}

/** Routes that another server calls are not for web pages: no preflight lets one in (contract, "CORS"). */
function corsFor(routes: readonly Route[], isAllowedOrigin: (origin: string) => boolean): MiddlewareHandler<AppEnv> {
  const allow = cors({
    origin: (origin) => (isAllowedOrigin(origin) ? origin : null),
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['Authorization', 'Content-Type', 'X-Request-Id', 'x-factory-token', 'x-admin-token'],
    exposeHeaders: ['X-Request-Id', 'X-Process-Time', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-AI-Cache'],
    maxAge: PREFLIGHT_SECONDS,
  });
  const closed = new Set(routes.flatMap(({ contract }) => (contract.auth === 'stripe' ? [contract.path] : [])));
  return async (c, next) => (closed.has(`/${c.req.path.slice(1)}`) ? next() : allow(c, next));
}

function createServe(services: Services, hooks: RouterHooks, isAllowedOrigin: (origin: string) => boolean) {
  const authenticate = createAuthenticate(services);
  const allow = createAllow(services);

  return (route: Route) => {
    const { contract } = route;
    const name = `${contract.method} ${contract.path}`;
    return async (c: Context<AppEnv>): Promise<Response> => {
      c.set('route', name);
      const caller = await authenticate(contract.auth, c.req.raw);
      if (caller.kind === 'user') c.set('uid', caller.uid);
      refuseForeignOrigin(contract, c.req.header('origin'), isAllowedOrigin);
      const deleted = isShutOut(contract, caller, hooks);
      await refuseWithoutPremium(contract, caller, hooks, deleted);
      const noted = noteActivity(contract, caller, hooks, deleted);
      const limited = contract.rateLimit && countRequest(allow, name, contract.rateLimit, caller, c.env);
      const answering =
        contract.method === 'GET' && limited === undefined
          ? unlessDeleted(deleted, run(route, c, caller, services))
          : afterChecks(deleted, limited, c, () => run(route, c, caller, services));
      // Whatever still runs behind an answer is frozen with the container.
      const reply = await answering.finally(() => noted);
      for (const [header, value] of Object.entries(reply.headers ?? {})) c.header(header, value);
      return reply.status === 302 ? c.body(null, reply.status) : c.json(reply.body, reply.status);
    };
  };
}

/** A read changes nothing, so it need not wait until the account is known to be alive: both go out together. */
async function unlessDeleted(deleted: Promise<boolean>, reply: Promise<Reply>): Promise<Reply> {
  const [gate, answer] = await Promise.allSettled([deleted, reply]);
  if (gate.status === 'rejected') throw gate.reason;
  if (gate.value) throw accountDeleted();
  if (answer.status === 'rejected') throw answer.reason;
  return answer.value;
}

async function afterChecks(
  deleted: Promise<boolean>,
  limited: Promise<Readonly<Record<string, string>>> | undefined,
  c: Context<AppEnv>,
  reply: () => Promise<Reply>,
): Promise<Reply> {
  const [isDeleted, headers] = await Promise.all([deleted, limited]);
  if (isDeleted) throw accountDeleted();
  for (const [header, value] of Object.entries(headers ?? {})) c.header(header, value);
  return reply();
}

async function run(route: Route, c: Context<AppEnv>, caller: Caller, services: Services): Promise<Reply> {
  const { contract } = route;
  const input: RawInput = {
    caller,
    params: c.req.param(),
    query: c.req.query(),
    ...(await readBody(contract, c.req.raw)),
  };
  const context: RequestContext = {
    requestId: c.var.requestId,
    now: services.clock.now(),
    log: logWith(services.log, { requestId: c.var.requestId }),
    signal: c.req.raw.signal,
    apiBaseUrl: services.config.apiBaseUrl ?? apiBaseUrlOf(c.env, c.req.url),
  };
  const reply = await route.run(input, context);
  if (services.config.checkResponses) refuseBrokenPromise(contract, reply);
  return reply;
}

async function readBody(contract: RouteContract, request: Request): Promise<Pick<RawInput, 'body' | 'files'>> {
  // What Stripe has signed was read with its signature.
  if (contract.method === 'GET' || contract.auth === 'stripe') return { body: undefined, files: [] };
  if (contract.bodyKind !== 'multipart') return { body: await readJsonBody(request), files: [] };
  const { readMultipartBody } = await import('./multipart-body.ts');
  const { fields, files } = await readMultipartBody(request, contract.bodyLimit ?? DEFAULT_BODY_LIMIT);
  return { body: fields, files };
}

function refuseBrokenPromise(contract: RouteContract, reply: Reply): void {
  const result = contract.responses[reply.status]?.safeParse(reply.body);
  if (result?.success === true) return;
  throw new Error(`${contract.path} answered ${reply.status} against its contract`, { cause: result?.error });
}

function refuseForeignOrigin(
  contract: RouteContract,
  origin: string | undefined,
  isAllowed: (origin: string) => boolean,
): void {
  if (origin === undefined || contract.auth === 'public' || contract.auth === 'cognito-optional') return;
  if (!isAllowed(origin))
    throw new ApiError(
      'origin_not_allowed',
      'This page may not use the service. Please open the AutoWatering app or its own website.',
    );
}

async function isShutOut(contract: RouteContract, caller: Caller, hooks: RouterHooks): Promise<boolean> {
  if (caller.kind !== 'user' || contract.openToDeletedAccounts === true) return false;
  return hooks.isAccountDeleted(caller.uid);
}

/** Beside the request, and done when it is: nobody waits for it alone, but on a day's first request. */
async function noteActivity(
  contract: RouteContract,
  caller: Caller,
  hooks: RouterHooks,
  deleted: Promise<boolean>,
): Promise<void> {
  if (caller.kind !== 'user' || contract.openToDeletedAccounts === true) return;
  const isDeleted = await deleted.catch(() => true);
  if (!isDeleted) await hooks.noteActivity(caller.uid);
}

function accountDeleted(): ApiError {
  return new ApiError('account_deleted', 'This account has been deleted.');
}

/** Somebody whose account is deleted is told that, and not that they should pay. */
async function refuseWithoutPremium(
  contract: RouteContract,
  caller: Caller,
  hooks: RouterHooks,
  deleted: Promise<boolean>,
): Promise<void> {
  if (contract.premium !== true || caller.kind !== 'user') return;
  const [isDeleted, isPremium] = await Promise.all([deleted, hooks.isPremium(caller.uid)]);
  if (isDeleted) throw accountDeleted();
  if (!isPremium)
    throw new ApiError('premium_required', 'This is part of AutoWatering Premium. Please subscribe to use it.');
}

/** Where a second limit stands behind the caller's own, both are counted at once; the caller is told of their own. */
async function countRequest(
  allow: Allow,
  name: string,
  limit: RateLimit,
  caller: Caller,
  bindings: Bindings | undefined,
): Promise<Readonly<Record<string, string>>> {
  const own = allow(name, limit, subjectOf(limit, caller, bindings));
  if (limit.andPerAddress === undefined) return own;
  const behind = { requests: limit.andPerAddress, windowSeconds: limit.windowSeconds };
  const [headers] = await Promise.all([own, allow(`${name} address`, behind, `address:${addressOf(bindings)}`)]);
  return headers;
}

function subjectOf({ per }: RateLimit, caller: Caller, bindings: Bindings | undefined): string {
  return per !== 'address' && caller.kind === 'user' ? `user:${caller.uid}` : `address:${addressOf(bindings)}`;
}

function limitBody({ bodyLimit: maxSize = DEFAULT_BODY_LIMIT, bodyTooLarge }: RouteContract): MiddlewareHandler {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw bodyTooLarge?.() ?? bodyOver(maxSize);
    },
  });
}

function bodyOver(limit: number): ApiError {
  return new ApiError(
    'payload_too_large',
    `This is too much at once. Please make it shorter than ${Math.floor(limit / 1024)} KB.`,
    { details: { limit } },
  );
}

function methodsByPath(routes: readonly Route[]): Map<string, string[]> {
  const byPath = new Map<string, string[]>();
  for (const { contract } of routes) {
    byPath.set(contract.path, [...(byPath.get(contract.path) ?? []), contract.method]);
  }
  return byPath;
}

/** The one place where a failure becomes an answer. What is not an `ApiError` says nothing of itself to the caller. */
function answerError(error: unknown, c: Context<AppEnv>, log: Log): Response {
  const expected = toApiError(error);
  if (expected.status >= 500) {
    const fields = { requestId: c.var.requestId, route: c.var.route, code: expected.code };
    log.error('The request failed', fields, error);
  }
  c.set('errorCode', expected.code);
  for (const [header, value] of Object.entries(expected.headers)) c.header(header, value);
  return c.json(errorBody(expected, c.var.requestId), expected.status);
}

function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof HTTPException && error.status === 413) {
    return new ApiError('payload_too_large', 'This is too much at once. Please make it smaller.', { cause: error });
  }
  return new ApiError('internal_error', 'Something went wrong on our side. Please try again in a moment.', {
    cause: error,
  });
}
