import { defineRoute, type Route } from '../http/define-route.ts';
import { isoTime } from '../platform/clock.ts';

/** `GET /health`, alone in its module and without a schema, because every container may load it. */
export function aliveRoute(): Route {
  return defineRoute({
    method: 'GET',
    path: '/health',
    auth: 'public',
    domain: 'health',
    summary: 'Whether the service answers',
    description: 'Checks no dependency.',
    responses: async () => (await import('./alive-answer.ts')).ALIVE_RESPONSES,
    errors: [],
  }).handledBy(async (_input, { now }) => ({
    status: 200,
    body: { ok: true, status: 'alive', timestamp: isoTime(now) },
  }));
}
