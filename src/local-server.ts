import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { createApp } from './app.ts';
import { type Bindings, fetchFrom } from './http/adapters/fetch-adapter.ts';
import { createNodeServer } from './http/adapters/node-server.ts';
import { createPrometheusMetrics } from './platform/observability/prometheus-metrics.ts';
import { createRelayFunction } from './relay-function.ts';
import { createServices } from './services.ts';

/** As in Lambda's own API; what the local gateway calls. */
const INVOCATIONS = '/2015-03-31/functions/relay/invocations';

/**
 * Runs the app on Node's HTTP server for the local stack, with the API page at `/docs`, Prometheus metrics at
 * `/metrics`, and the relay's function for the local gateway. Reports its port over the IPC channel and exits with its parent process.
 */
async function start(): Promise<void> {
  const metrics = createPrometheusMetrics();
  const services = createServices(process.env, { metrics });
  const serve = fetchFrom(createApp(services));
  // Report a bad secret now instead of with the first request that needs it.
  await services.secrets.values();
  const site = new Hono<{ Bindings: Bindings }>();
  const docs = process.env['LOCAL_DOCS_DIRECTORY'];
  if (docs !== undefined) {
    site.get('/docs', (c) => c.redirect('/docs/'));
    site.use('/docs/*', serveStatic({ root: docs, rewriteRequestPath: (path) => path.replace(/^\/docs/, '') }));
  }
  site.get('/metrics', async (c) => c.text(await metrics.text(), 200, { 'Content-Type': 'text/plain; version=0.0.4' }));
  const relay = createRelayFunction(services);
  site.post(INVOCATIONS, async (c) => {
    // Web pages can't send this header without being asked first, and are refused then.
    if (c.req.header('X-Amz-Invocation-Type') !== 'RequestResponse') return c.json({ message: 'Forbidden' }, 403);
    return c.json(await relay(await c.req.json()));
  });
  site.mount('/', (request, env) => serve(request, env), { replaceRequest: (request) => request });

  const port = Number(process.env['PORT'] ?? 0);
  const server = createNodeServer((request, bindings) => site.fetch(request, bindings));
  // For example a busy port, which the stack explains to the user.
  server.on('error', refuse);
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') process.send?.({ listening: address.port });
  });
}

/** Reports to the stack why the server can't start. A configuration error lists everything that is wrong. */
function refuse(error: unknown): void {
  process.send?.({ failed: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}

process.on('disconnect', () => process.exit(0));
if (process.connected === false) process.exit(0);
await start().catch(refuse);
