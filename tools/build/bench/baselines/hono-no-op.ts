import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';

const app = new Hono();
app.all('*', (context) => context.json({ ok: true }));

/** Hono with its own adapter and a route that does nothing: what a framework takes. */
export const handler = handle(app);
