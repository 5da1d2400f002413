// Imports a handler in a new process, sends it one event, and prints when it was loaded and had answered, in ms since
// process start. Usage: node measure-cold-start.mjs HANDLER PATH
import { performance } from 'node:perf_hooks';

const [handlerFile, path] = process.argv.slice(2);
const { handler } = await import(handlerFile);
const loaded = performance.now();
const event = {
  version: '2.0',
  routeKey: `GET ${path}`,
  rawPath: path,
  rawQueryString: '',
  headers: {},
  requestContext: {
    http: { method: 'GET', path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'bench' },
    requestId: 'bench',
    stage: '$default',
  },
  isBase64Encoded: false,
};
const answer = await handler(event, {});
console.log(JSON.stringify({ status: answer.statusCode, loadedMs: loaded, answeredMs: performance.now() }));
process.exit(0);
