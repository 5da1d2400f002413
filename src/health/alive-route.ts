import * as z from 'zod';
import { defineRoute, type Route } from '../http/define-route.ts';
import { isoDateTime } from '../http/fields.ts';
import { isoTime } from '../platform/clock.ts';

/** `GET /health`, alone in its module: what a container loads for it is what every container loads. */
export function aliveRoute(): Route {
  return defineRoute({
    method: 'GET',
    path: '/health',
    auth: 'public',
    domain: 'health',
    summary: 'Whether the service answers',
    description: 'Touches nothing.',
    responses: { 200: z.object({ ok: z.literal(true), status: z.literal('alive'), timestamp: isoDateTime }) },
    errors: [],
  }).handledBy(async (_input, { now }) => ({
    status: 200,
    body: { ok: true, status: 'alive', timestamp: isoTime(now) },
  }));
}
