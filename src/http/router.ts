import type { Services } from '../platform/services.ts';
import { errorAnswer, replyAnswer } from './answers.ts';
import { createCors } from './checks/cors.ts';
import { originPolicy } from './checks/origins.ts';
import type { Route } from './define-route.ts';
import { ApiError } from './errors.ts';
import type { App, IncomingRequest, OutgoingAnswer } from './exchange.ts';
import { inRequestScope, type RequestScope } from './request-scope.ts';
import { createRouteMatcher, type Method } from './route-matcher.ts';
import { createServeRoute, type RouterHooks } from './serve-route.ts';

/** A route before it is loaded: only what matching a request needs. */
export interface RouteEntry {
  readonly method: Method;
  readonly path: `/${string}`;
  /** Whether only other servers call it, never web pages. */
  readonly isClosedToPages: boolean;
  load(): Promise<Route>;
}

/** Creates the app from the routes: finds a request's route and answers with its reply or error. */
export function createRouter(entries: readonly RouteEntry[], services: Services, hooks: RouterHooks): App {
  const isAllowedOrigin = originPolicy(services.config.allowedOrigins);
  const cors = createCors(isAllowedOrigin);
  const match = createRouteMatcher(entries);
  const serveRoute = createServeRoute(services, hooks, isAllowedOrigin);
  // Preflights don't open these routes to web pages (contract, "CORS").
  const closed = new Set<string>(entries.flatMap(({ path, isClosedToPages }) => (isClosedToPages ? [path] : [])));

  const serve = async (request: IncomingRequest, scope: RequestScope): Promise<OutgoingAnswer> => {
    const { method, path } = request;
    const isOpen = !closed.has(path);
    if (isOpen && method === 'OPTIONS') return cors.preflight(request);
    const headers: Record<string, string> = isOpen ? { ...cors.headers(request) } : {};
    try {
      if (request.refused !== undefined) throw request.refused;
      const matched = match(method, path);
      if (matched.found === undefined) throw notServed(matched.otherMethods);
      const { found: entry } = matched;
      scope.route = `${entry.method} ${entry.path}`;
      const route = await entry.load();
      scope.errorForm = route.contract.errorForm;
      const reply = await serveRoute(route, { request, params: matched.params, scope, headers });
      return replyAnswer(reply, headers);
    } catch (error) {
      return errorAnswer(error, scope, services.log, headers);
    }
  };
  const answer = inRequestScope(services, serve);
  return {
    async answer(request) {
      const full = await answer(request);
      return request.method === 'HEAD' ? { ...full, body: null } : full;
    },
  };
}

/** Entries for routes that are already loaded. */
export function loadedRoutes(routes: readonly Route[]): readonly RouteEntry[] {
  return routes.map((route) => ({
    method: route.contract.method,
    path: route.contract.path,
    isClosedToPages: route.contract.auth === 'stripe',
    load: async () => route,
  }));
}

function notServed(methods: readonly Method[]): ApiError {
  if (methods.length === 0) return new ApiError('not_found', 'We could not find what you are looking for.');
  return new ApiError('method_not_allowed', 'This does not work here. Please update the app.', {
    details: { allowed: methods },
    headers: { Allow: [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ') },
  });
}
