import { serve } from '@hono/node-server';
import { createApp } from './app.ts';
import { createServices } from './services.ts';

/**
 * The same app on Node's HTTP server, for the local stack. It tells its address over the IPC channel and ends with
 * the process that started it.
 */
const services = createServices(process.env);
const server = serve(
  { fetch: createApp(services).fetch, hostname: '127.0.0.1', port: Number(process.env['PORT'] ?? 0) },
  ({ port }) => process.send?.({ listening: port }),
);
// A busy port is told to the stack, which chooses another one or says so.
server.on('error', (error) => {
  process.send?.({ failed: error.message });
  process.exitCode = 1;
});
process.on('disconnect', () => process.exit(0));
