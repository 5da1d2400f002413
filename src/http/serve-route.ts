import type { Uid } from '../platform/ids.ts';
import { type Log, logWith } from '../platform/observability/log.ts';
import type { Services } from '../platform/services.ts';
import { type BodyLimit, bodyLimitOf } from './body/body-limit.ts';
import { readJsonBody } from './body/json-body.ts';
import { type Caller, isPersonal } from './caller.ts';
import { type AuthenticateHooks, accountDeleted, createAuthenticate } from './checks/authenticate.ts';
import type { OriginAllowed } from './checks/origins.ts';
import { type Allow, createAllow } from './checks/rate-limit.ts';
import type { RawInput, Reply, RequestContext, Route } from './define-route.ts';
import { ApiError } from './errors.ts';
import type { IncomingRequest } from './exchange.ts';
import type { RequestScope } from './request-scope.ts';
import { type DeclaredContract, type RateLimit, responsesOf } from './route-contract.ts';

/** The checks that domains provide. */
export interface RouterHooks extends AuthenticateHooks {
  /** Whether the account is deleted or being deleted. */
  isAccountDeleted(uid: Uid): Promise<boolean>;
  /** Whether the user has premium according to our own data; doesn't ask Stripe. */
  isPremium(uid: Uid): Promise<boolean>;
  /** Records the user's activity; never fails. */
  noteActivity(uid: Uid): Promise<void>;
}

/** A request on its way to the handler. */
interface Visit {
  readonly request: IncomingRequest;
  readonly params: Readonly<Record<string, string>>;
  readonly scope: RequestScope;
  /** Headers from the checks, for replies and errors alike. */
  readonly headers: Record<string, string>;
}

export type ServeRoute = (route: Route, visit: Visit) => Promise<Reply>;

/** Returns a function that runs a route's checks and then its handler. */
export function createServeRoute(services: Services, hooks: RouterHooks, isAllowedOrigin: OriginAllowed): ServeRoute {
  const authenticate = createAuthenticate(services, hooks);
  const allow = createAllow(services);

  return async (route, visit) => {
    const { contract, name } = route;
    const { request, scope, headers } = visit;
    const limit = bodyLimitOf(contract);
    if (contract.method === 'POST' && (request.declaredBytes ?? 0) > limit.bytes) throw limit.refusal();
    const caller = await authenticate(contract, request, limit);
    if (isPersonal(caller)) scope.uid = caller.uid;
    refuseForeignOrigin(contract, request.header('origin'), isAllowedOrigin);
    const deleted = isShutOut(contract, caller, hooks);
    if (contract.premium === true) await refuseWithoutPremium(caller, hooks, deleted);
    const noted = noteActivity(contract, caller, hooks, deleted, services.log);
    const limited =
      contract.rateLimit === undefined || contract.rateLimit.per === 'device'
        ? undefined
        : countRequest(allow, name, contract.rateLimit, caller, request.address);
    const answering =
      contract.method === 'GET' && limited === undefined
        ? unlessDeleted(deleted, run(route, visit, caller, services, limit))
        : afterChecks(deleted, limited, headers, () => run(route, visit, caller, services, limit));
    // Lambda freezes whatever still runs after the answer.
    return noted === undefined ? answering : answering.finally(() => noted);
  };
}

/** A read changes nothing, so it runs in parallel with the deletion check. */
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
  // Stripe's body was read with its signature.
  if (contract.auth === 'stripe' || contract.bodyKind === 'none') return NO_BODY;
  if (contract.bodyKind === 'form') {
    const { readFormBody } = await import('./body/form-body.ts');
    return { body: await readFormBody(request, limit), files: [] };
  }
  if (contract.bodyKind !== 'multipart') {
    const source = contract.gzip === true ? (await import('./body/encoded-body.ts')).inflatedBody(request) : request;
    return { body: await readJsonBody(source, limit), files: [] };
  }
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

/** Returns false when no check is needed. */
function isShutOut(contract: DeclaredContract, caller: Caller, hooks: RouterHooks): Promise<boolean> | false {
  if (!isPersonal(caller) || contract.openToDeletedAccounts === true) return false;
  return hooks.isAccountDeleted(caller.uid);
}

/** Runs in parallel with the request and usually delays only a user's first answer of the day. */
function noteActivity(
  contract: DeclaredContract,
  caller: Caller,
  hooks: RouterHooks,
  deleted: Promise<boolean> | false,
  log: Log,
): Promise<void> | undefined {
  if (!isPersonal(caller) || contract.openToDeletedAccounts === true) return undefined;
  const note = async () => {
    const isDeleted = deleted !== false && (await deleted.catch(() => true));
    if (!isDeleted) await hooks.noteActivity(caller.uid);
  };
  // Before the answer is ready nothing handles a rejection, which would end the process.
  return note().catch((error: unknown) => log.warn("A user's activity could not be noted", { uid: caller.uid }, error));
}

/** Users whose account is deleted get that error rather than a request to pay. */
async function refuseWithoutPremium(
  caller: Caller,
  hooks: RouterHooks,
  deleted: Promise<boolean> | false,
): Promise<void> {
  if (!isPersonal(caller)) return;
  const [isDeleted, isPremium] = await Promise.all([deleted, hooks.isPremium(caller.uid)]);
  if (isDeleted) throw accountDeleted();
  if (!isPremium)
    throw new ApiError('premium_required', 'This is part of AutoWatering Premium. Please subscribe to use it.');
}

/** Counts the caller's own limit and the address's limit in parallel; the headers show the caller's own. */
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
  if (per === 'address' || !isPersonal(caller)) return `address:${address}`;
  // A stolen hub must not use up what its owner and the other peers may do, such as stopping the water.
  return caller.kind === 'peer' ? `user:${caller.uid} peer:${caller.peerId}` : `user:${caller.uid}`;
}
