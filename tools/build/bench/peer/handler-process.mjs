// Runs a Lambda handler in its own process, driven over IPC, so that the benchmark's own work is not measured.
// Usage: node handler-process.mjs HANDLER, with the handler's environment.
import { Session } from 'node:inspector/promises';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';

let writtenBytes = 0;
// Counts and discards what the handler logs.
for (const stream of [process.stdout, process.stderr]) {
  stream.write = (chunk, ...rest) => {
    writtenBytes += Buffer.byteLength(chunk);
    const done = rest.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
}
for (const name of ['debug', 'info', 'log', 'warn', 'error']) {
  console[name] = (...parts) => {
    writtenBytes += parts.join(' ').length + 1;
  };
}

const { handler } = await import(pathToFileURL(process.argv[2]).href);
const NUMBER = '{{number}}';
let number = 0;

/** Creates a new event for each request, as Lambda does, and replaces `{{number}}` with a new number each time. */
function maker(events) {
  let turn = 0;
  const texts = events.map((event) => ({ event, body: event.body, isNumbered: event.body?.includes(NUMBER) === true }));
  return () => {
    const { event, body, isNumbered } = texts[turn++ % texts.length];
    if (!isNumbered) return { ...event };
    number += 1;
    return { ...event, body: body.replace(NUMBER, String(number).padStart(12, '0')) };
  };
}

async function repeat(next, atOnce, ms, most = Number.POSITIVE_INFINITY) {
  const end = performance.now() + ms;
  const statuses = {};
  let [begun, count] = [0, 0];
  const worker = async () => {
    while (begun < most && performance.now() < end) {
      begun += 1;
      const { statusCode } = await handler(next(), {});
      statuses[statusCode] = (statuses[statusCode] ?? 0) + 1;
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { count, statuses };
}

const tasks = {
  async call({ event }) {
    const next = maker([event]);
    const { statusCode, body, headers } = await handler(next(), {});
    return { status: statusCode, body: typeof body === 'string' ? body : '', headers: headers ?? {} };
  },
  async usage() {
    const { user, system } = process.cpuUsage();
    return { cpuMicroseconds: user + system, loggedBytes: writtenBytes };
  },
  async load({ events, atOnce, warmUpMs, ms, most = {} }) {
    const next = maker(events);
    await repeat(next, atOnce, warmUpMs, most.warmUp);
    writtenBytes = 0;
    const cpu = process.cpuUsage();
    const started = performance.now();
    const { count, statuses } = await repeat(next, atOnce, ms, most.measured);
    const took = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    return {
      perSecond: (1000 * count) / took,
      cpuMicroseconds: (user + system) / count,
      loggedBytes: writtenBytes / count,
      requests: count,
      statuses,
    };
  },
  async profile({ events, atOnce, warmUpMs, ms }) {
    const next = maker(events);
    await repeat(next, atOnce, warmUpMs);
    const session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 200 });
    await session.post('Profiler.start');
    const { count } = await repeat(next, atOnce, ms);
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    return { count, profile };
  },
  async memory({ events, atOnce, requests }) {
    const next = maker(events);
    const { statuses } = await repeat(next, atOnce, Number.POSITIVE_INFINITY, requests);
    // A few turns of the event loop let timers and finalisers run, so that what they hold becomes garbage too.
    for (let turn = 0; turn < 4; turn += 1) {
      await new Promise((done) => setImmediate(done));
      globalThis.gc?.();
    }
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    return { rss, heapUsed, external, arrayBuffers, statuses };
  },
};

process.on('message', async ({ id, task, ...input }) => {
  try {
    process.send({ id, output: await tasks[task](input) });
  } catch (error) {
    process.send({ id, failed: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
process.on('disconnect', () => process.exit(0));
process.send({ id: 0, output: 'ready' });
