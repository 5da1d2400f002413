// Imports a handler in a new process, sends it one event, and prints when it was loaded and had answered, in ms since
// process start, and the CPU that took. Usage: node measure-cold-start.mjs HANDLER PATH
// The event is a request for PATH, or what COLD_START_EVENT has as JSON.
import { performance } from 'node:perf_hooks';

const [handlerFile, path] = process.argv.slice(2);
const { handler } = await import(handlerFile);
const loaded = performance.now();
const request = {
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
const given = process.env.COLD_START_EVENT;
const event = given === undefined ? request : JSON.parse(given);
const answer = await handler(event, {});
const answered = performance.now();
const { user, system } = process.cpuUsage();
const cpuMs = (user + system) / 1000;
console.log(JSON.stringify({ status: answer.statusCode, loadedMs: loaded, answeredMs: answered, cpuMs }));
process.exit(0);
