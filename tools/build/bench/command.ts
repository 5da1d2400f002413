import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { wholeNumberUpTo } from '../../cli/terminal/number-arguments.ts';
import { runBenchmark } from './benchmark.ts';
import { commandsTable } from './commands/commands-table.ts';
import { MOST_COMMANDS, measureCommands } from './commands/measure-commands.ts';
import { gardenTable } from './garden/garden-table.ts';
import { MOST_SYNCS, measureGarden } from './garden/measure-garden.ts';
import { jobsTable } from './jobs/jobs-table.ts';
import { measureJobs } from './jobs/measure-jobs.ts';
import { peerScenarios } from './peer/peer-scenarios.ts';
import { moduleTable, peerTable } from './peer/peer-table.ts';
import { profileRoute, runPeerBenchmark, withOurHandler } from './peer/run-peer-benchmark.ts';
import { measureRelay } from './relay/measure-relay.ts';
import { relayTable } from './relay/relay-table.ts';
import { measureMemory, memoryTable } from './routes/measure-memory.ts';
import { measureRoutes } from './routes/measure-routes.ts';
import { routeTable } from './routes/route-table.ts';
import { benchmarkTable } from './table.ts';

interface Options {
  readonly json: boolean;
  readonly only: string;
  readonly devices: number;
  readonly releases: number;
  readonly peer?: string;
  readonly peerEnv?: string;
  readonly turns: number;
  readonly profile?: string;
  readonly routes?: boolean;
  readonly memory?: number;
  readonly relay?: boolean;
  readonly garden?: number;
  readonly commands?: number;
  readonly jobs?: number;
}

const Variables = z.record(z.string(), z.string());
const DIRECTORY = '.local/bench';
const TURN_MS = 1_500;

await runCommand((signal) =>
  new Command('npm run bench --')
    .description(
      'Measures every route in-process and over HTTP, compared with a no-op route and a bare GetItem, and the cold start. ' +
        'With --peer, compares our function with another one.',
    )
    .option('--devices <count>', 'devices in the table for the fleet routes’ second run', Number, 20_000)
    .option('--releases <count>', 'releases on one track for the second run', Number, 1_000)
    .option('--only <text>', 'only routes whose name contains this', '')
    .option('--peer <file>', 'compares with this JavaScript module’s handler (payload format 2.0), alternating')
    .option('--peer-env <file>', 'its environment variables as JSON; they override ours')
    .option('--turns <count>', 'turns per handler and route', wholeNumberUpTo(100), 5)
    .option('--profile <route>', 'writes a CPU profile of our function on a route and shows the time by module')
    .option('--routes', 'CPU, logged bytes and DynamoDB units of a request to every route, also for --peer')
    .option('--memory <requests>', 'memory over this many requests to all routes', wholeNumberUpTo(10_000_000))
    .option('--relay', 'what an event of the relay costs, and the cold start of its function')
    .option(
      '--garden <days>',
      'what a device’s telemetry costs over so many daily syncs, beside an item for each row',
      wholeNumberUpTo(MOST_SYNCS),
    )
    .option(
      '--commands <count>',
      'how long commands take from an owner through a hub to a simulated garden, until the evidence is judged',
      wholeNumberUpTo(MOST_COMMANDS),
    )
    .option('--jobs <devices>', 'what work by time consumes, with so many devices', wholeNumberUpTo(1_000))
    .option('--json', 'prints JSON', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run bench\n  npm run bench -- --only /ota --devices 1000000\n  npm run bench -- --json > bench.json\n' +
        '  npm run bench -- --peer ../old/handler.cjs --peer-env old.json\n  npm run bench -- --profile "GET /health"\n' +
        '  npm run bench -- --relay\n',
    )
    .action(async (options: Options) => {
      const onStep = (step: string) => {
        if (!options.json) console.error(`… ${step}`);
      };
      if (options.profile !== undefined) return profile(options.profile, options, signal);
      if (options.memory !== undefined) return memory(options.memory, options, signal, onStep);
      if (options.garden !== undefined) return garden(options.garden, options, signal, onStep);
      if (options.commands !== undefined) return commands(options.commands, options, signal, onStep);
      if (options.jobs !== undefined) return jobs(options.jobs, options, signal, onStep);
      if (options.relay === true) return relay(options, signal, onStep);
      if (options.routes === true) return everyRoute(options, signal, onStep);
      if (options.peer !== undefined) return besidePeer(options.peer, options, signal, onStep);
      const { json, only, devices, releases } = options;
      const result = await runBenchmark(
        path.resolve(DIRECTORY),
        { scale: { devices, releases }, only },
        signal,
        onStep,
      );
      console.log(json ? JSON.stringify(result, null, 2) : benchmarkTable(result));
    }),
);

async function everyRoute(
  { peer, peerEnv, only, turns, json }: Options,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<void> {
  const beside = peer === undefined ? {} : { peer: { handler: peer, env: await variablesIn(peerEnv) } };
  const costs = await measureRoutes(path.resolve(DIRECTORY, 'routes'), { only, turns, ...beside }, signal, onStep);
  console.log(json ? JSON.stringify(costs, null, 2) : routeTable(costs));
}

async function memory(
  requests: number,
  { json }: Options,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<void> {
  const result = await measureMemory(path.resolve(DIRECTORY, 'memory'), requests, signal, onStep);
  console.log(json ? JSON.stringify(result, null, 2) : memoryTable(result));
}

async function relay({ json }: Options, signal: AbortSignal, onStep: (step: string) => void): Promise<void> {
  const cost = await measureRelay(path.resolve(DIRECTORY, 'relay-cost'), signal, onStep);
  console.log(json ? JSON.stringify(cost, null, 2) : relayTable(cost));
}

async function garden(
  days: number,
  { json }: Options,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<void> {
  const cost = await measureGarden(path.resolve(DIRECTORY, 'garden-cost'), days, signal, onStep);
  console.log(json ? JSON.stringify(cost, null, 2) : gardenTable(cost));
}

async function commands(
  count: number,
  { json }: Options,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<void> {
  const cost = await measureCommands(path.resolve(DIRECTORY, 'commands'), count, signal, onStep);
  console.log(json ? JSON.stringify(cost, null, 2) : commandsTable(cost));
}

async function jobs(
  devices: number,
  { json }: Options,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<void> {
  const cost = await measureJobs(path.resolve(DIRECTORY, 'jobs-cost'), devices, signal, onStep);
  console.log(json ? JSON.stringify(cost, null, 2) : jobsTable(cost));
}

async function variablesIn(file: string | undefined): Promise<Readonly<Record<string, string>>> {
  return file === undefined ? {} : Variables.parse(JSON.parse(await readFile(file, 'utf8')));
}

async function besidePeer(
  peer: string,
  { peerEnv: file, only, turns, json }: Options,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<void> {
  const peerEnv = await variablesIn(file);
  const { results, notes } = await withOurHandler(path.resolve(DIRECTORY), signal, (bench) =>
    runPeerBenchmark(bench, { peer, peerEnv, only, turns, ms: TURN_MS }, onStep),
  );
  for (const note of notes) console.error(`Note: ${note}`);
  console.log(json ? JSON.stringify({ node: process.version, results }, null, 2) : peerTable(results));
}

async function profile(route: string, { json }: Options, signal: AbortSignal): Promise<void> {
  const profiled = await withOurHandler(path.resolve(DIRECTORY), signal, (bench) => profileRoute(bench, route));
  if (profiled === undefined) {
    const names = peerScenarios({ factoryToken: '', adminToken: '' }).map(({ name }) => `  ${name}`);
    throw new PlainError(`No route to profile matches “${route}”. Available:\n${names.join('\n')}`);
  }
  const file = path.join(DIRECTORY, 'profile.cpuprofile');
  await writeFile(file, JSON.stringify(profiled.profile));
  if (json) return console.log(JSON.stringify({ route: profiled.name, modules: profiled.modules, file }, null, 2));
  console.log(
    `${profiled.name}\n\n${moduleTable(profiled.modules)}\n\nThe whole profile, for Chrome's developer tools: ${file}`,
  );
}
