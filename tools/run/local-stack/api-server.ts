import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { BUILD_CACHE, keptBuild } from '../../cli/bundle/kept-build.ts';
import { PlainError } from '../../cli/plain-error.ts';
import { type GuardedChild, startModule, untilReady } from './process/child-process.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const Message = z.union([
  z.object({ listening: z.number(), relayFunction: z.number() }),
  z.object({ failed: z.string() }),
]);

export interface ApiServer {
  readonly url: string;
  /** Where the relay's function can be called. */
  readonly relayFunctionUrl: string;
  readonly child: GuardedChild;
}

export interface ApiOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly buildDirectory: string;
  readonly logFile: string;
}

/** Bundles the backend like the Lambda build, and runs it on Node's HTTP server in a separate process. */
export async function startApi(options: ApiOptions, signal: AbortSignal): Promise<ApiServer> {
  const folder = path.join(BUILD_CACHE, 'local-server');
  const [built, worker] = await Promise.all([
    keptBuild('src/local-server.ts', folder, { sourcemap: 'linked' }),
    keptBuild('src/heic-worker.mjs', folder, {}),
  ]);
  // A copy per stack: its path identifies the process, and a rebuild does not change it.
  await mkdir(options.buildDirectory, { recursive: true });
  const outfile = path.join(options.buildDirectory, path.basename(built));
  await Promise.all([
    copyFile(built, outfile),
    copyFile(`${built}.map`, `${outfile}.map`),
    // The backend starts it as a file, expected next to its own.
    copyFile(worker, path.join(options.buildDirectory, path.basename(worker))),
  ]);
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
    throw new PlainError(`The API could not start: ${state?.failed ?? 'no error was reported'}`);
  }
  return {
    url: `http://127.0.0.1:${state.listening}`,
    relayFunctionUrl: `http://127.0.0.1:${state.relayFunction}`,
    child,
  };
}
