import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';

const app = new Hono();
app.all('*', (context) => context.json({ ok: true }));

/** Hono with its own adapter and a no-op route: the cost of a framework. */
export const handler = handle(app);
