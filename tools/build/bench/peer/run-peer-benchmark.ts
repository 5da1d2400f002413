import { rm } from 'node:fs/promises';
import path from 'node:path';
import { LOCAL_REGION } from '../../../run/local-stack/cognito/cognito-local.ts';
import { createTables, localDynamoDb } from '../../../run/local-stack/dynamodb/tables.ts';
import { backendEnvironment, type Engines, startEngines } from '../../../run/local-stack/engines.ts';
import { createLocalSecrets } from '../../../run/local-stack/secrets/local-secrets.ts';
import { buildLambdaBundle } from '../../lambda/lambda-bundle.ts';
import { type Comparison, compare, type Skipped } from './compare.ts';
import { type HandlerProcess, startHandler } from './handler-process.ts';
import { peerScenarios, publishRelease, type Tokens } from './peer-scenarios.ts';
import { type ModuleTime, timeByModule } from './time-by-module.ts';

const ENVIRONMENT = 'bench';

export interface Bench {
  readonly env: Readonly<Record<string, string>>;
  readonly tokens: Tokens;
  readonly ours: HandlerProcess;
  /** The module that `ours` runs, to start more processes. */
  readonly handler: string;
  readonly engines: Engines;
  readonly signal: AbortSignal;
}

/**
 * Runs our bundle, as deployed, against fresh engines and stops both after the work.
 *
 * @param more environment variables in addition to the local stack's
 */
export async function withOurHandler<T>(
  directory: string,
  signal: AbortSignal,
  work: (bench: Bench) => Promise<T>,
  more: Readonly<Record<string, string>> = {},
): Promise<T> {
  await rm(directory, { recursive: true, force: true });
  const secrets = createLocalSecrets();
  const engines = await startEngines(
    { environment: ENVIRONMENT, directory, persistent: false, secrets, wellKnownPorts: false, isUnderLoad: true },
    signal,
  );
  try {
    await createTables(localDynamoDb(engines.dynamoDb.url, LOCAL_REGION), ENVIRONMENT);
    // As in production: responses are not checked against their contracts, logs and metrics are written.
    const env = { ...backendEnvironment(ENVIRONMENT, engines), CHECK_RESPONSES: 'false', ...more };
    const { handler } = await buildLambdaBundle(path.join(directory, 'bundle'), { sourcemap: true });
    const ours = await startHandler(handler, env, signal);
    try {
      return await work({ env, tokens: secrets, ours, handler, engines, signal });
    } finally {
      await ours.stop();
    }
  } finally {
    await engines.stop();
  }
}

export interface PeerOptions {
  readonly peer: string;
  readonly peerEnv: Readonly<Record<string, string>>;
  readonly only: string;
  readonly turns: number;
  readonly ms: number;
}

/** Compares another handler (payload format 2.0) with ours, with the same requests. */
export async function runPeerBenchmark(
  { env, tokens, ours, signal }: Bench,
  { peer: file, peerEnv, only, turns, ms }: PeerOptions,
  onStep: (step: string) => void,
): Promise<{ readonly results: readonly (Comparison | Skipped)[]; readonly notes: readonly string[] }> {
  const peer = await startHandler(file, { ...env, ...peerEnv }, signal);
  try {
    const notes: string[] = [];
    for (const [who, handler] of [
      ['ours', ours],
      ['the peer', peer],
    ] as const) {
      const failed = await publishRelease(handler, tokens);
      if (failed !== undefined) notes.push(`${who}: ${failed}`);
    }
    const results: (Comparison | Skipped)[] = [];
    for (const scenario of peerScenarios(tokens).filter(({ name }) => name.includes(only))) {
      signal.throwIfAborted();
      onStep(scenario.name);
      results.push(await compare(ours, peer, scenario, { turns, ms }));
    }
    return { results, notes };
  } finally {
    await peer.stop();
  }
}

const PROFILE_MS = 4_000;

/** Profiles our handler on one route. Returns the time by module and the profile for Chrome's developer tools. */
export async function profileRoute(
  { tokens, ours }: Bench,
  route: string,
): Promise<{ readonly name: string; readonly modules: readonly ModuleTime[]; readonly profile: unknown } | undefined> {
  await publishRelease(ours, tokens);
  const scenario = peerScenarios(tokens).find(({ name }) => name.includes(route));
  if (scenario === undefined) return undefined;
  const order = { events: scenario.events, atOnce: scenario.atOnce, warmUpMs: 1_000, ms: PROFILE_MS };
  const profiled = await ours.profile(order);
  return { name: scenario.name, modules: await timeByModule(profiled), profile: profiled.profile };
}
