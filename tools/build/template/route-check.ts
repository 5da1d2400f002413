import * as z from 'zod';
import type { ListedRoute } from '../../cli/target/route-list.ts';
import type { Template } from './template.ts';

const Event = z.object({
  Properties: z.object({
    Path: z.string(),
    Method: z.string(),
    TimeoutInMillis: z.number(),
    Auth: z.object({ Authorizer: z.enum(['NONE', 'Cognito']) }),
    RouteSettings: z.object({ ThrottlingRateLimit: z.number(), ThrottlingBurstLimit: z.number() }).optional(),
  }),
});
const Backend = z.object({ Properties: z.object({ Events: z.record(z.string(), Event) }) });
const RouteSettings = z.object({ ThrottlingRateLimit: z.number(), ThrottlingBurstLimit: z.number() });
const Api = z.object({
  Properties: z.object({ RouteSettings: z.record(z.string(), RouteSettings).default({}) }),
});

/** API Gateway's own limit; the function times out earlier and responds to late requests itself. */
const TIMEOUT_MS = 30_000;
/** Everything that no route matches: unknown paths, wrong methods, trailing slashes. */
const DEFAULT = 'ANY $default';
const PREFLIGHT = 'OPTIONS /{proxy+}';

/** Checks that the events match the route table, so that the gateway guards and throttles what the code declares. */
export function checkRoutes(template: Template, routes: readonly ListedRoute[]): readonly string[] {
  const backend = Backend.safeParse(template.Resources['Backend']);
  if (!backend.success) return [`the function's events are not as required: ${z.prettifyError(backend.error)}`];
  const { Events: events } = backend.data.Properties;
  const byName = new Map<string, z.output<typeof Event>['Properties']>(
    Object.values(events).map(({ Properties: event }) => [`${event.Method} ${event.Path}`, event] as const),
  );
  const known = new Set<string>([DEFAULT, PREFLIGHT, ...routes.map(({ method, path }) => `${method} ${path}`)]);
  return [
    ...[...byName].flatMap(([name, event]) => [
      ...(known.has(name) ? [] : [`${name} is not a route`]),
      ...(event.TimeoutInMillis === TIMEOUT_MS ? [] : [`${name} has a time limit other than ${TIMEOUT_MS} ms`]),
    ]),
    ...routes.flatMap(({ method, path, auth, isOpenToPeers, throttle }) => {
      const name = `${method} ${path}`;
      const event = byName.get(name);
      if (event === undefined) return [`${name} has no event`];
      // The gateway's authorizer knows Cognito's tokens only; the function's guard knows both.
      const guard = auth === 'cognito' && !isOpenToPeers ? 'Cognito' : 'NONE';
      const { requestsPerSecond: rate, burst } = throttle;
      const settings = event.RouteSettings;
      const isThrottled = settings?.ThrottlingRateLimit === rate && settings.ThrottlingBurstLimit === burst;
      return [
        ...(event.Auth.Authorizer === guard ? [] : [`${name} needs the authorizer ${guard}`]),
        ...(isThrottled
          ? []
          : [`${name} needs RouteSettings: { ThrottlingRateLimit: ${rate}, ThrottlingBurstLimit: ${burst} }`]),
      ];
    }),
    ...(byName.has(DEFAULT) ? [] : [`${DEFAULT} has no event: unknown paths would get the gateway's own response`]),
    ...(byName.has(PREFLIGHT) ? [] : [`${PREFLIGHT} has no event: preflights would share the throttle of $default`]),
    ...checkDefaultThrottle(template, routes),
  ];
}

/** A path spelled so that it misses its route must not get a higher limit than the route itself. */
function checkDefaultThrottle(template: Template, routes: readonly ListedRoute[]): readonly string[] {
  const rate = Math.min(...routes.map(({ throttle }) => throttle.requestsPerSecond));
  const burst = Math.min(...routes.map(({ throttle }) => throttle.burst));
  const settings = Api.safeParse(template.Resources['Api']).data?.Properties.RouteSettings['$default'];
  if (settings?.ThrottlingRateLimit === rate && settings.ThrottlingBurstLimit === burst) return [];
  return [`Api needs RouteSettings: { $default: { ThrottlingRateLimit: ${rate}, ThrottlingBurstLimit: ${burst} } }`];
}
