import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { PlainError } from '../../cli/plain-error.ts';
import { type ApiServer, startApi } from './api-server.ts';
import { LOCAL_CLIENT_ID, LOCAL_REGION, LOCAL_USER_POOL_ID } from './cognito/cognito-local.ts';
import { cognitoUsers } from './cognito/cognito-users.ts';
import { writeDocsSite } from './docs-site.ts';
import { createTables, localDynamoDb } from './dynamodb/tables.ts';
import { backendEnvironment, bucketName, type Engines, startEngines } from './engines.ts';
import { localFunction } from './gateway/local-function.ts';
import { freePort, requirePort } from './process/ports.ts';
import { lockDirectory } from './process/stack-lock.ts';
import { registerDevSigningKey } from './secrets/dev-signing-key.ts';
import { localSecrets } from './secrets/local-secrets.ts';
import { DEFAULT_DIRECTORY, removeStackFile, type StackFile, writeStackFile } from './stack-file.ts';

const ENVIRONMENT = 'local';
const API_PORT = 3000;

export interface StackOptions {
  /** Where its state is stored; defaults to `.local`. */
  readonly directory?: string;
  /** Discards the state of earlier runs. */
  readonly fresh?: boolean;
  /** The API's port; defaults to 3000 or any free one. */
  readonly port?: number;
  /** Uses random ports only, for stacks that run next to the developer's own. */
  readonly ownPorts?: boolean;
  /** For benchmarks: the database keeps its data in memory and is optimised for a long load. */
  readonly isUnderLoad?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Called with each step, for a progress display. */
  readonly onStep?: (step: string) => void;
}

export interface Stack {
  readonly info: StackFile;
  readonly engines: Engines;
  readonly apiLogFile: string;
  /** Returns the first part that ended unexpectedly, with the reason. */
  broken(): string | undefined;
  stop(): Promise<void>;
}

/** Starts the whole product on this machine: engines, stand-ins and the API, and writes `stack.json`. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const directory = path.resolve(options.directory ?? DEFAULT_DIRECTORY);
  const unlock = await lockDirectory(directory);
  try {
    const stack = await startIn(directory, options);
    return {
      ...stack,
      async stop() {
        await stack.stop();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Everything that a stack writes to its directory, and that demo, benchmark and `npm run relay` put there. */
const OWN_FILES: ReadonlySet<string> = new Set([
  ...['build', 'cognito', 'docs', 'dynamodb', 'logs', 's3', 'secrets.json', 'stack.json', 'stripe'],
  ...['bench', 'demo', 'demo.lock', 'relay'],
]);

/** Removes an earlier stack's state. A directory that contains anything else is not touched. */
async function clearDirectory(directory: string): Promise<void> {
  const files = await readdir(directory).catch((): string[] => []);
  const strange = files.find((name) => !OWN_FILES.has(name));
  if (strange !== undefined) {
    throw new PlainError(`${directory} was not emptied: it contains ${strange}, which does not belong to a stack.`);
  }
  await rm(directory, { recursive: true, force: true });
}

async function startIn(directory: string, options: StackOptions): Promise<Stack> {
  const signal = options.signal ?? new AbortController().signal;
  const step = options.onStep ?? (() => {});
  if (options.fresh === true) await clearDirectory(directory);
  await mkdir(directory, { recursive: true });
  const port = options.port === undefined ? undefined : await requirePort(options.port);
  const secrets = await localSecrets(directory);

  step('starting DynamoDB Local, cognito-local and the stand-ins');
  const wellKnownPorts = options.ownPorts !== true;
  const { isUnderLoad = false } = options;
  const engines = await startEngines(
    { environment: ENVIRONMENT, directory, persistent: !isUnderLoad, secrets, wellKnownPorts, isUnderLoad },
    signal,
  );
  let api: ApiServer | undefined;
  try {
    step('creating tables and demo users');
    const pool = {
      endpoint: engines.cognito.url,
      region: LOCAL_REGION,
      userPoolId: LOCAL_USER_POOL_ID,
      clientId: LOCAL_CLIENT_ID,
    };
    const users = ['demo@autowatering.example', 'neighbour@autowatering.example'].map((email) => ({
      email,
      password: secrets.password,
    }));
    const docs = path.join(directory, 'docs');
    await createTables(localDynamoDb(engines.dynamoDb.url, LOCAL_REGION), ENVIRONMENT);
    await writeDocsSite(docs);
    for (const { email, password } of users) await cognitoUsers(pool).signUp(email, password);

    step('building and starting the API');
    const apiLogFile = path.join(directory, 'logs', 'api.log');
    const apiPort = port ?? (await freePort(wellKnownPorts ? API_PORT : undefined));
    const links = { LINK_BASE_URL: `http://127.0.0.1:${apiPort}` };
    const server = await startApi(
      {
        env: { ...backendEnvironment(ENVIRONMENT, engines), ...links, LOCAL_DOCS_DIRECTORY: docs, ...options.env },
        port: apiPort,
        buildDirectory: path.join(directory, 'build'),
        logFile: apiLogFile,
      },
      signal,
    );
    api = server;
    await registerDevSigningKey(server.url, secrets.adminToken, signal);
    engines.stripe.webhooks.deliverTo(`${server.url}/stripeWebhook`);
    engines.relay.deliverTo(localFunction(server.relayFunctionUrl));
    const info: StackFile = {
      pid: process.pid,
      apiBaseUrl: server.url,
      docsUrl: `${server.url}/docs/`,
      factoryToken: secrets.factoryToken,
      adminToken: secrets.adminToken,
      cognito: pool,
      s3: { endpoint: engines.s3.url, bucket: bucketName(ENVIRONMENT) },
      dynamodb: { endpoint: engines.dynamoDb.url },
      plants: {
        kindwise: engines.plants.kindwise.url,
        plantnet: engines.plants.plantnet.url,
        gbif: engines.plants.gbif.url,
      },
      relay: { url: engines.relay.url, endpoint: engines.relay.endpoint },
      messages: engines.messages.url,
      stripe: { endpoint: engines.stripe.url, webhookSecret: secrets.stripeWebhookSecret },
      users,
    };
    signal.throwIfAborted();
    await writeStackFile(directory, info);
    return {
      info,
      engines,
      apiLogFile,
      broken: () => {
        const ended = server.child.ended();
        return ended === undefined ? engines.broken() : `The API ended (${ended}). Its output is in ${apiLogFile}.`;
      },
      async stop() {
        await removeStackFile(directory);
        await server.child.stop();
        await engines.stop();
      },
    };
  } catch (error) {
    await api?.child.stop();
    await engines.stop();
    throw error;
  }
}
