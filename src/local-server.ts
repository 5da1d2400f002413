import { once } from 'node:events';
import type { Server } from 'node:http';
import { serveStatic } from '@hono/node-server/serve-static';
import { Hono } from 'hono';
import { createApp } from './app.ts';
import { type Bindings, fetchFrom } from './http/adapters/fetch-adapter.ts';
import { createInvocationServer } from './http/adapters/invocation-server.ts';
import { createNodeServer } from './http/adapters/node-server.ts';
import { createJobsFunction } from './jobs-function.ts';
import { createPrometheusMetrics } from './platform/observability/prometheus-metrics.ts';
import { createRelayFunction } from './relay-function.ts';
import { createServices } from './services.ts';

/** More often than in AWS, so that developers need not wait; a job's own time decides when it is done. */
const JOBS_MS = 30_000;

/**
 * Runs the app on Node's HTTP server for the local stack, with the API page at `/docs`, Prometheus metrics at
 * `/metrics`, and the relay's function for the local gateway on a port of its own. Work by time is done here as well. Reports both ports over the IPC channel
 * and exits with its parent process.
 */
async function start(): Promise<void> {
  const metrics = createPrometheusMetrics();
  const services = createServices(process.env, {
    metrics,
    // There is one other function, and it runs here.
    startFunction: async (_name, event) => runJobs(event),
  });
  const jobs = createJobsFunction(services);
  /** As in Lambda, nobody waits for it; what fails is in the log. */
  const runJobs = (event: object) => {
    jobs(event).catch((error: unknown) => services.log.error('The function for work by time failed', {}, error));
  };
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
  site.mount('/', (request, env) => serve(request, env), { replaceRequest: (request) => request });

  const port = Number(process.env['PORT'] ?? 0);
  const server = createNodeServer((request, bindings) => site.fetch(request, bindings));
  const relay = createInvocationServer(createRelayFunction(services));
  // The other one not before: a process with nothing to listen to ends by itself.
  const listening = await portOf(server, port);
  setInterval(() => runJobs({}), JOBS_MS).unref();
  process.send?.({ listening, relayFunction: await portOf(relay, 0) });
}

/**
 * Listens, and returns the port.
 *
 * @throws for example for a busy port, which the stack explains to the user
 */
async function portOf(server: Server, wanted: number): Promise<number> {
  server.listen(wanted, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address !== 'object') throw new Error('a server has no port');
  return address.port;
}

/** Reports to the stack why the server can't start. A configuration error lists everything that is wrong. */
function refuse(error: unknown): void {
  process.send?.({ failed: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
}

process.on('disconnect', () => process.exit(0));
if (process.connected === false) process.exit(0);
await start().catch(refuse);
