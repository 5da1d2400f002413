import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { gatewayEvent } from '../peer/gateway-event.ts';
import { type HandlerLoad, type HandlerProcess, startHandler } from '../peer/handler-process.ts';

/** The handlers that our rates are compared with. */
export const BASELINES = ['empty', 'hono-no-op', 'get-item'] as const;
export type Baseline = (typeof BASELINES)[number];
export type OfBaselines<T> = Readonly<Record<Baseline, T>>;

export interface BaselineHandlers {
  /** Measures one turn of each, one request at a time. */
  measure(): Promise<OfBaselines<HandlerLoad>>;
  stop(): Promise<void>;
}

const WARM_UP_MS = 60;
const MEASURE_MS = 150;

/** Bundles the three like our function and starts each in its own process. */
export async function startBaselines(
  directory: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<BaselineHandlers> {
  await build({
    entryPoints: BASELINES.map((name) => fileURLToPath(new URL(`./${name}.ts`, import.meta.url))),
    outdir: directory,
    ...{ bundle: true, minify: true, platform: 'node', format: 'esm', logLevel: 'silent' },
    outExtension: { '.js': '.mjs' },
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  });
  const start = (name: Baseline) => startHandler(path.join(directory, `${name}.mjs`), env, signal);
  const handlers: OfBaselines<HandlerProcess> = {
    empty: await start('empty'),
    'hono-no-op': await start('hono-no-op'),
    'get-item': await start('get-item'),
  };
  const event = gatewayEvent({ method: 'GET', path: '/health' });
  const load = (name: Baseline) =>
    handlers[name].load({ events: [event], atOnce: 1, warmUpMs: WARM_UP_MS, ms: MEASURE_MS });
  return {
    measure: async () => ({
      empty: await load('empty'),
      'hono-no-op': await load('hono-no-op'),
      'get-item': await load('get-item'),
    }),
    async stop() {
      await Promise.all(BASELINES.map((name) => handlers[name].stop()));
    },
  };
}
