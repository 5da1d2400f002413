import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { type ServerType, serve } from '@hono/node-server';
import * as z from 'zod';
import { createApp } from '../../../src/app.ts';
import { type Fetch, fetchFrom } from '../../../src/http/adapters/fetch-adapter.ts';
import { defineRoute } from '../../../src/http/define-route.ts';
import { createRouter, loadedRoutes } from '../../../src/http/router.ts';
import { LOCAL_REGION } from '../../run/local-stack/cognito/cognito-local.ts';
import { createTables, localDynamoDb } from '../../run/local-stack/dynamodb/tables.ts';
import { backendEnvironment, startEngines } from '../../run/local-stack/engines.ts';
import { createLocalSecrets } from '../../run/local-stack/secrets/local-secrets.ts';
import { measureColdStarts } from './cold-start.ts';
import { type DynamoMeter, meteredServices } from './dynamo-meter.ts';
import { type Load, putUnderLoad } from './load.ts';
import { measurePhotos, type PhotoOverhead } from './photo-overhead.ts';
import { fleetScenarios, type Scale } from './scenarios/fleet-scenarios.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { premiumHeaders, prepareScenarios } from './scenarios/scenarios.ts';

const ENVIRONMENT = 'bench';
const AT_ONCE = 10;

export interface RouteResult {
  readonly route: string;
  readonly inProcess: Load;
  readonly overHttp?: Load;
  readonly dynamoCalls: number;
  readonly capacityUnits: number;
}

export interface BenchmarkResult {
  readonly node: string;
  readonly baselines: readonly RouteResult[];
  readonly routes: readonly RouteResult[];
  readonly photos: PhotoOverhead;
  readonly coldStart: Awaited<ReturnType<typeof measureColdStarts>>;
}

export interface BenchmarkOptions {
  /** The crowd for the second measurement of fleet and releases. */
  readonly scale: Scale;
  /** Measures only routes whose name contains this; empty for all. */
  readonly only: string;
}

/** Runs all measurements against fresh engines and stops them afterwards. */
export async function runBenchmark(
  directory: string,
  { scale, only }: BenchmarkOptions,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<BenchmarkResult> {
  await rm(directory, { recursive: true, force: true });
  const secrets = createLocalSecrets();
  onStep('starting engines');
  const engines = await startEngines(
    { environment: ENVIRONMENT, directory, persistent: false, secrets, wellKnownPorts: false, isUnderLoad: true },
    signal,
  );
  try {
    await createTables(localDynamoDb(engines.dynamoDb.url, LOCAL_REGION), ENVIRONMENT);
    const env = {
      ...backendEnvironment(ENVIRONMENT, engines),
      CHECK_RESPONSES: 'false',
      LOG_LEVEL: 'SILENT',
      PLANT_ID_DAILY_LIMIT_PREMIUM: '-1',
      PLANT_ID_MONTHLY_LIMIT_PREMIUM: '-1',
    };
    Object.assign(process.env, env);
    const { services, meter, forward } = meteredServices(env);
    const app = fetchFrom(createApp(services));
    const noop = fetchFrom(
      createRouter(loadedRoutes([noopRoute]), services, {
        isAccountDeleted: async () => false,
        isPremium: async () => true,
        noteActivity: async () => {},
      }),
    );
    const ask = async (path: string, init?: RequestInit) => app(requestTo(path, init));
    // Before the routes, because they leave Stripe's circuit open.
    const photographer = await premiumHeaders(ask, engines.stripe);
    const dynamoDb = { url: engines.dynamoDb.url, region: LOCAL_REGION };
    const fleet = { ask, secrets, dynamoDb, environment: ENVIRONMENT, forward, scale, onStep };
    // The fleet comes last because it moves the clock.
    const all = [...(await prepareScenarios(ask, secrets, engines.stripe)), ...(await fleetScenarios(fleet))];
    const scenarios = all.filter(({ route }) => route.includes(only));

    const { baselines, routes } = await measureRoutes({ app, noop, scenarios, meter, signal, onStep }, () =>
      bareGetItem(services.documents, services.config.tables.users, onStep),
    );
    onStep('photos');
    const photos = await measurePhotos(app, engines.plants, photographer);
    onStep('cold starts');
    const coldStart = await measureColdStarts(directory, env, [{ route: '/health' }, { route: '/ota/latest' }]);
    return { node: process.version, baselines, routes, photos, coldStart };
  } finally {
    await engines.stop();
  }
}

interface Measured {
  readonly app: Fetch;
  readonly noop: Fetch;
  readonly scenarios: readonly Scenario[];
  readonly meter: DynamoMeter;
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
}

async function measureRoutes(measured: Measured, bare: () => Promise<RouteResult>) {
  const { app, noop, scenarios, meter, signal, onStep } = measured;
  const servers = [app, noop].map((fetch) =>
    serve({ fetch: (request) => fetch(request), hostname: '127.0.0.1', port: 0 }),
  );
  const [server, noopServer] = servers;
  if (server === undefined || noopServer === undefined) throw new Error('no servers');
  const measure = async (scenario: Scenario, fetcher: Fetch, at: ServerType): Promise<RouteResult> => {
    signal.throwIfAborted();
    onStep(scenario.route);
    const cost = fetcher === app ? await costOf(scenario, app, meter) : { dynamoCalls: 0, capacityUnits: 0 };
    const inProcess = await putUnderLoad(() => inProcessCall(scenario, fetcher), AT_ONCE);
    const overHttp = await putUnderLoad(() => httpCall(scenario, at), AT_ONCE);
    return { route: scenario.route, inProcess, overHttp, ...cost };
  };
  try {
    await Promise.all(servers.map((one) => once(one, 'listening')));
    const noopScenario = { route: 'no-op route', request: () => ({ path: '/noop' }), expect: [200] };
    const baselines = [await measure(noopScenario, noop, noopServer), await bare()];
    const routes: RouteResult[] = [];
    for (const scenario of scenarios) {
      const measureIt = () => measure(scenario, app, server);
      routes.push(await (scenario.during?.(measureIt) ?? measureIt()));
    }
    return { baselines, routes };
  } finally {
    agent.destroy();
    for (const one of servers) one.close();
  }
}

const noopRoute = defineRoute({
  method: 'GET',
  path: '/noop',
  auth: 'public',
  domain: 'health',
  summary: 'Does nothing',
  description: 'A baseline: the cost of the framework and of our own pipeline.',
  responses: { 200: z.object({ ok: z.literal(true) }) },
  errors: [],
}).handledBy(async () => ({ status: 200, body: { ok: true } }));

async function costOf(scenario: Scenario, app: Fetch, meter: DynamoMeter) {
  const before = { ...meter };
  await inProcessCall(scenario, app);
  return { dynamoCalls: meter.calls - before.calls, capacityUnits: meter.capacityUnits - before.capacityUnits };
}

function requestTo(path: string, init?: RequestInit): Request {
  return new Request(`http://localhost${path}`, init);
}

async function inProcessCall(scenario: Scenario, app: Fetch): Promise<void> {
  const { path, init } = scenario.request();
  const response = await app(requestTo(path, init));
  await response.arrayBuffer();
  if (!scenario.expect.includes(response.status)) throw new Error(`${scenario.route} answered ${response.status}`);
}

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });

function httpCall(scenario: Scenario, server: ServerType): Promise<void> {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const { path, init = {} } = scenario.request();
  return new Promise((resolve, reject) => {
    const headers = Object.fromEntries(new Headers(init.headers));
    const call = httpRequest(
      { agent, host: '127.0.0.1', port, path, method: init.method ?? 'GET', headers },
      (answer) => {
        answer.resume();
        answer.on('end', () => {
          const { statusCode = 0 } = answer;
          if (scenario.expect.includes(statusCode)) resolve();
          else reject(new Error(`${scenario.route} answered ${statusCode} over HTTP`));
        });
      },
    );
    call.on('error', reject);
    call.end(typeof init.body === 'string' ? init.body : undefined);
  });
}

type Documents = ReturnType<typeof meteredServices>['services']['documents'];

async function bareGetItem(documents: Documents, table: string, onStep: (step: string) => void): Promise<RouteResult> {
  onStep('bare GetItem');
  const client = await documents();
  const call = async () => {
    await client.get({ TableName: table, Key: { uid: 'nobody', record: 'profile' } });
  };
  return { route: 'bare GetItem', inProcess: await putUnderLoad(call, AT_ONCE), dynamoCalls: 1, capacityUnits: 0.5 };
}
