import type { Uid } from '../platform/ids.ts';
import { type Log, logWith } from '../platform/observability/log.ts';
import type { Services } from '../platform/services.ts';
import { type BodyLimit, bodyLimitOf } from './body/body-limit.ts';
import { readJsonBody } from './body/json-body.ts';
import { createAuthenticate } from './checks/authenticate.ts';
import type { OriginAllowed } from './checks/origins.ts';
import { type Allow, createAllow } from './checks/rate-limit.ts';
import {
  type Caller,
  type DeclaredContract,
  type RateLimit,
  type RawInput,
  type Reply,
  type RequestContext,
  type Route,
  responsesOf,
} from './define-route.ts';
import { ApiError } from './errors.ts';
import type { IncomingRequest } from './exchange.ts';
import type { RequestScope } from './request-scope.ts';

/** What the way to a handler has to ask a domain, without knowing it. */
export interface RouterHooks {
  /** Whether the account is deleted, or its deletion is under way. */
  isAccountDeleted(uid: Uid): Promise<boolean>;
  /** Whether the user has premium, as far as is stored: nobody waits for Stripe here. */
  isPremium(uid: Uid): Promise<boolean>;
  /** Notes that the user was here; never fails. */
  noteActivity(uid: Uid): Promise<void>;
}

/** A request on its way to a handler. */
interface Visit {
  readonly request: IncomingRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly scope: RequestScope;
  /** Collects what the checks have to tell, for whatever the answer will be. */
  readonly headers: Record<string, string>;
}

export type ServeRoute = (route: Route, visit: Visit) => Promise<Reply>;

/** A request's way through the checks to its handler. */
export function createServeRoute(services: Services, hooks: RouterHooks, isAllowedOrigin: OriginAllowed): ServeRoute {
  const authenticate = createAuthenticate(services);
  const allow = createAllow(services);

  return async (route, visit) => {
    const { contract, name } = route;
    const { request, scope, headers } = visit;
    const limit = bodyLimitOf(contract);
    if (contract.method === 'POST' && (request.declaredBytes ?? 0) > limit.bytes) throw limit.refusal();
    const caller = await authenticate(contract.auth, request, limit);
    if (caller.kind === 'user') scope.uid = caller.uid;
    refuseForeignOrigin(contract, request.header('origin'), isAllowedOrigin);
    const deleted = isShutOut(contract, caller, hooks);
    if (contract.premium === true) await refuseWithoutPremium(caller, hooks, deleted);
    const noted = noteActivity(contract, caller, hooks, deleted, services.log);
    const limited = contract.rateLimit && countRequest(allow, name, contract.rateLimit, caller, request.address);
    const answering =
      contract.method === 'GET' && limited === undefined
        ? unlessDeleted(deleted, run(route, visit, caller, services, limit))
        : afterChecks(deleted, limited, headers, () => run(route, visit, caller, services, limit));
    // Whatever still runs behind an answer is frozen with the container.
    return noted === undefined ? answering : answering.finally(() => noted);
  };
}

/** A read changes nothing, so it need not wait until the account is known to be alive: both go out together. */
async function unlessDeleted(deleted: Promise<boolean> | false, reply: Promise<Reply>): Promise<Reply> {
  if (deleted === false) return reply;
  const [gate, answer] = await Promise.allSettled([deleted, reply]);
  if (gate.status === 'rejected') throw gate.reason;
  if (gate.value) throw accountDeleted();
  if (answer.status === 'rejected') throw answer.reason;
  return answer.value;
}

async function afterChecks(
  deleted: Promise<boolean> | false,
  limited: Promise<Readonly<Record<string, string>>> | undefined,
  headers: Record<string, string>,
  reply: () => Promise<Reply>,
): Promise<Reply> {
  const [isDeleted, counted] = await Promise.all([deleted, limited]);
  if (isDeleted) throw accountDeleted();
  for (const [name, value] of Object.entries(counted ?? {})) headers[name.toLowerCase()] = value;
  return reply();
}

async function run(
  route: Route,
  { request, params, scope }: Visit,
  caller: Caller,
  services: Services,
  limit: BodyLimit,
): Promise<Reply> {
  const { contract } = route;
  const body = contract.method === 'GET' ? NO_BODY : await readInput(contract, request, limit);
  const input: RawInput = { caller, params, query: request.query, ...body };
  const { requestId } = scope;
  const context: RequestContext = {
    requestId,
    now: services.clock.now(),
    log: logWith(services.log, { requestId }),
    get signal() {
      return request.signal;
    },
    get apiBaseUrl() {
      return services.config.apiBaseUrl ?? request.baseUrl;
    },
  };
  const reply = await route.run(input, context);
  if (services.config.checkResponses) await refuseBrokenPromise(contract, reply);
  return reply;
}

const NO_BODY = { body: undefined, files: [] } as const;

async function readInput(
  contract: DeclaredContract,
  request: IncomingRequest,
  limit: BodyLimit,
): Promise<Pick<RawInput, 'body' | 'files'>> {
  // What Stripe has signed was read with its signature.
  if (contract.auth === 'stripe') return NO_BODY;
  if (contract.bodyKind !== 'multipart') return { body: await readJsonBody(request, limit), files: [] };
  const { readMultipartBody } = await import('./body/multipart-body.ts');
  const { fields, files } = await readMultipartBody(request, limit);
  return { body: fields, files };
}

async function refuseBrokenPromise(contract: DeclaredContract, reply: Reply): Promise<void> {
  const result = (await responsesOf(contract))[reply.status]?.safeParse(reply.body);
  if (result?.success === true) return;
  throw new Error(`${contract.path} answered ${reply.status} against its contract`, { cause: result?.error });
}

function refuseForeignOrigin(
  contract: DeclaredContract,
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

/** False where nobody has to be asked. */
function isShutOut(contract: DeclaredContract, caller: Caller, hooks: RouterHooks): Promise<boolean> | false {
  if (caller.kind !== 'user' || contract.openToDeletedAccounts === true) return false;
  return hooks.isAccountDeleted(caller.uid);
}

/** Beside the request, and done when it is: nobody waits for it alone, but on a day's first request. */
function noteActivity(
  contract: DeclaredContract,
  caller: Caller,
  hooks: RouterHooks,
  deleted: Promise<boolean> | false,
  log: Log,
): Promise<void> | undefined {
  if (caller.kind !== 'user' || contract.openToDeletedAccounts === true) return undefined;
  const note = async () => {
    const isDeleted = deleted !== false && (await deleted.catch(() => true));
    if (!isDeleted) await hooks.noteActivity(caller.uid);
  };
  // A rejection before the answer is ready would have no handler yet, and end the process.
  return note().catch((error: unknown) => log.warn("A user's activity could not be noted", { uid: caller.uid }, error));
}

function accountDeleted(): ApiError {
  return new ApiError('account_deleted', 'This account has been deleted.');
}

/** Somebody whose account is deleted is told that, and not that they should pay. */
async function refuseWithoutPremium(
  caller: Caller,
  hooks: RouterHooks,
  deleted: Promise<boolean> | false,
): Promise<void> {
  if (caller.kind !== 'user') return;
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
  address: string,
): Promise<Readonly<Record<string, string>>> {
  const own = allow(name, limit, subjectOf(limit, caller, address));
  if (limit.andPerAddress === undefined) return own;
  const behind = { requests: limit.andPerAddress, windowSeconds: limit.windowSeconds };
  const [headers] = await Promise.all([own, allow(`${name} address`, behind, `address:${address}`)]);
  return headers;
}

function subjectOf({ per }: RateLimit, caller: Caller, address: string): string {
  return per !== 'address' && caller.kind === 'user' ? `user:${caller.uid}` : `address:${address}`;
}
