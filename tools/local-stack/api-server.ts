import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import * as z from 'zod';
import { PlainError } from '../cli/plain-error.ts';
import { type GuardedChild, startModule, untilReady } from './child-process.ts';

const ENTRY = fileURLToPath(new URL('../../src/local-server.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const Message = z.union([z.object({ listening: z.number() }), z.object({ failed: z.string() })]);

export interface ApiServer {
  readonly url: string;
  readonly child: GuardedChild;
}

export interface ApiOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly buildDirectory: string;
  readonly logFile: string;
}

/** Bundles the backend as the Lambda build does and runs it on Node's HTTP server, in a process of its own. */
export async function startApi(options: ApiOptions, signal: AbortSignal): Promise<ApiServer> {
  const outfile = await buildServer(options.buildDirectory);
  let state: z.output<typeof Message> | undefined;
  const child = await startModule(
    {
      name: 'The API',
      args: ['--enable-source-maps', outfile],
      cwd: ROOT,
      env: { ...options.env, PORT: String(options.port) },
      logFile: options.logFile,
    },
    (message) => {
      state = Message.parse(message);
    },
  );
  await untilReady(child, async () => state !== undefined, signal);
  if (state === undefined || 'failed' in state) {
    throw new PlainError(`The API could not start: ${state?.failed ?? 'it said nothing'}`);
  }
  return { url: `http://127.0.0.1:${state.listening}`, child };
}

async function buildServer(directory: string): Promise<string> {
  await mkdir(directory, { recursive: true });
  const outfile = path.join(directory, 'local-server.mjs');
  await build({
    entryPoints: [ENTRY],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'linked',
    logLevel: 'silent',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
  });
  return outfile;
}
