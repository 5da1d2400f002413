import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { PlainError } from '../../../cli/plain-error.ts';
import type { GatewayEvent as WebSocketEvent } from '../../../run/local-stack/gateway/relay-gateway.ts';
import type { GatewayEvent } from './gateway-event.ts';

const PROCESS = fileURLToPath(new URL('./handler-process.mjs', import.meta.url));

const Message = z.object({ id: z.number(), output: z.unknown(), failed: z.string().optional() });
const Answer = z.object({ status: z.number(), body: z.string(), headers: z.record(z.string(), z.unknown()) });
const Load = z.object({
  perSecond: z.number(),
  cpuMicroseconds: z.number(),
  loggedBytes: z.number(),
  requests: z.number(),
  statuses: z.record(z.string(), z.number()),
});
const CallFrame = z.object({
  functionName: z.string(),
  url: z.string(),
  lineNumber: z.number(),
  columnNumber: z.number(),
});
const Profiled = z.object({
  count: z.number(),
  profile: z.looseObject({
    nodes: z.array(z.looseObject({ id: z.number(), callFrame: CallFrame })),
    samples: z.array(z.number()),
    timeDeltas: z.array(z.number()),
  }),
});
const Usage = z.object({ cpuMicroseconds: z.number(), loggedBytes: z.number() });
const Memory = z.object({
  rss: z.number(),
  heapUsed: z.number(),
  external: z.number(),
  arrayBuffers: z.number(),
  statuses: z.record(z.string(), z.number()),
});

export type HandlerAnswer = z.output<typeof Answer>;
export type HandlerLoad = z.output<typeof Load>;
export type HandlerProfile = z.output<typeof Profiled>;
export type HandlerUsage = z.output<typeof Usage>;
export type HandlerMemory = z.output<typeof Memory>;

/** A load for a handler, which receives the events in rotation. */
export interface LoadOrder {
  readonly events: readonly GatewayEvent[];
  readonly atOnce: number;
  readonly warmUpMs: number;
  readonly ms: number;
  /** Stops early after this many requests, for events that are limited or work only once. */
  readonly most?: { readonly warmUp: number; readonly measured: number };
}

/** A Lambda handler in its own process. */
export interface HandlerProcess {
  call(event: GatewayEvent | WebSocketEvent): Promise<HandlerAnswer>;
  /** What it has consumed since its start. */
  usage(): Promise<HandlerUsage>;
  load(order: LoadOrder): Promise<HandlerLoad>;
  /** Records V8's CPU profile under load. */
  profile(order: LoadOrder): Promise<HandlerProfile>;
  /** Sends the requests, collects garbage, and returns the memory still in use, in bytes. */
  memory(order: Pick<LoadOrder, 'events' | 'atOnce'> & { readonly requests: number }): Promise<HandlerMemory>;
  stop(): Promise<void>;
}

/**
 * @param handler a JavaScript module that exports `handler`
 * @throws PlainError when it can't be loaded
 */
export async function startHandler(
  handler: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<HandlerProcess> {
  const child = fork(PROCESS, [path.resolve(handler)], {
    env: { PATH: process.env['PATH'] ?? '', NODE_NO_WARNINGS: '1', ...env },
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    signal,
  });
  let errors = '';
  child.stderr?.on('data', (part) => {
    errors += part;
  });
  const waiting = new Map<number, { resolve(output: unknown): void; reject(error: Error): void }>();
  child.on('message', (message) => {
    const { id, output, failed } = Message.parse(message);
    const asked = waiting.get(id);
    waiting.delete(id);
    if (failed === undefined) asked?.resolve(output);
    else asked?.reject(new PlainError(`${handler} failed: ${failed}`));
  });
  const gone = (reason: string) => {
    for (const { reject } of waiting.values()) reject(new PlainError(`${handler} ended: ${reason}`));
    waiting.clear();
  };
  child.on('error', (error) => gone(error.message));
  child.on('exit', () => gone(errors.trim() || 'without output'));
  const answerTo = (id: number) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
    });
  let last = 0;
  const ask = async (task: string, input: object): Promise<unknown> => {
    last += 1;
    const answer = answerTo(last);
    child.send({ id: last, task, ...input });
    return answer;
  };
  await answerTo(0);
  return {
    call: async (event) => Answer.parse(await ask('call', { event })),
    usage: async () => Usage.parse(await ask('usage', {})),
    load: async (order) => Load.parse(await ask('load', order)),
    profile: async (order) => Profiled.parse(await ask('profile', order)),
    memory: async (order) => Memory.parse(await ask('memory', order)),
    async stop() {
      if (child.exitCode !== null || !child.connected) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
