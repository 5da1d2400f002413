import * as z from 'zod';
import { defineRoute, type Route } from '../http/define-route.ts';
import { isoDateTime } from '../http/fields.ts';
import { isoTime } from '../platform/clock.ts';

/** `GET /health`, in a module of its own because every container loads it. */
export function aliveRoute(): Route {
  return defineRoute({
    method: 'GET',
    path: '/health',
    auth: 'public',
    domain: 'health',
    summary: 'Whether the service answers',
    description: 'Checks no dependency.',
    responses: { 200: z.object({ ok: z.literal(true), status: z.literal('alive'), timestamp: isoDateTime }) },
    errors: [],
  }).handledBy(async (_input, { now }) => ({
    status: 200,
    body: { ok: true, status: 'alive', timestamp: isoTime(now) },
  }));
}
