import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocument, paginateScan } from '@aws-sdk/lib-dynamodb';
import { inject } from 'vitest';
import { createApp } from '../../src/app.ts';
import { fetchFrom } from '../../src/http/adapters/fetch-adapter.ts';
import { createNodeServer } from '../../src/http/adapters/node-server.ts';
import type { App } from '../../src/http/exchange.ts';
import type { Services } from '../../src/platform/services.ts';
import { createServices } from '../../src/services.ts';
import { parseLeniently } from '../../tools/cli/lenient-json.ts';
import { LOCAL_REGION } from '../../tools/run/local-stack/cognito/cognito-local.ts';
import { createTables, localDynamoDb } from '../../tools/run/local-stack/dynamodb/tables.ts';
import {
  backendEnvironment,
  bucketName,
  LOCAL_ACCESS_KEY,
  type PlantStandIns,
  secretValues,
  startPlantProviders,
  stopPlantProviders,
} from '../../tools/run/local-stack/engines.ts';
import { type Invoke, type RelayGateway, startGateway } from '../../tools/run/local-stack/gateway/relay-gateway.ts';
import { type MessagesStandIn, startMessages } from '../../tools/run/local-stack/messages/messages-stand-in.ts';
import { portOf } from '../../tools/run/local-stack/process/ports.ts';
import { startS3 } from '../../tools/run/local-stack/s3/s3-stand-in.ts';
import { createLocalSecrets, type LocalSecrets } from '../../tools/run/local-stack/secrets/local-secrets.ts';
import { type SecretsStandIn, startSecrets } from '../../tools/run/local-stack/secrets/secrets-stand-in.ts';
import type { StandIn } from '../../tools/run/local-stack/stand-in-server.ts';
import { type StripeStandIn, startStripe } from '../../tools/run/local-stack/stripe/stripe-stand-in.ts';
import { BUSY_MACHINE } from './busy-machine.ts';
import { type DynamoProxy, startDynamoProxy } from './dynamo-proxy.ts';
import { everyRight, functionRights } from './function-rights.ts';
import { movableClock, recordingLog, recordingMetrics } from './recorders.ts';

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, except for a string, bytes or a form. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of every shape; the schemas check the types
  readonly body: any;
}

export interface Backend {
  readonly url: string;
  readonly environment: string;
  readonly app: App;
  readonly services: Services;
  readonly clock: ReturnType<typeof movableClock>;
  readonly log: ReturnType<typeof recordingLog>;
  readonly metrics: ReturnType<typeof recordingMetrics>;
  readonly secrets: LocalSecrets;
  readonly dynamo: DynamoProxy;
  /** The AWS SDK's client, past the proxy. */
  readonly tables: DynamoDBDocument;
  readonly s3: StandIn;
  readonly secretsManager: SecretsStandIn;
  /** Sends no webhooks until a test calls `stripe.webhooks.deliverTo`. */
  readonly stripe: StripeStandIn;
  readonly plants: PlantStandIns;
  /** The relay's WebSocket API; only with the option `relay` does it have a function behind it. */
  readonly relay: RelayGateway;
  /** Where mails and pushes go. */
  readonly messages: MessagesStandIn;
  /** DynamoDB as the relay's function reaches it. */
  readonly relayDynamo: DynamoProxy;
  call(path: string, options?: CallOptions): Promise<Answer>;
  /** Every item of a table, for tests that check what is left. */
  scan(table: keyof Services['config']['tables']): Promise<Record<string, unknown>[]>;
  /** The keys in the bucket with this prefix. */
  objects(prefix: string): Promise<string[]>;
  stop(): Promise<void>;
}

export interface BackendOptions {
  /** Connects to DynamoDB Local without the proxy that counts and fails calls, for tests with very many calls. */
  readonly isDirect?: boolean;
  /** Whether tools work on the same tables, with permissions that the function does not have. */
  readonly isOpenToTools?: boolean;
  /**
   * Creates the relay's function, behind real WebSockets at `relay.url`. It has services of its own, and in DynamoDB the
   * permissions of its own.
   */
  readonly relay?: (services: Services) => Invoke;
  /** What the function uses instead of some of its services, as real ones with less patience. */
  readonly instead?: (services: Services) => Partial<Services>;
}

/** Starts the backend over HTTP on its own port, with its own tables, bucket and secrets, on the shared engines. */
export async function startBackend(
  env: Readonly<Record<string, string>> = {},
  { isDirect = false, isOpenToTools = false, relay: createRelay, instead = () => ({}) }: BackendOptions = {},
): Promise<Backend> {
  const environment = `t${randomBytes(6).toString('hex')}`;
  const directory = await mkdtemp(path.join(tmpdir(), 'autowatering-backend-'));
  const secrets = createLocalSecrets();
  const clock = movableClock();
  const [dynamo, s3, secretsManager, stripe, plants, relay, messages] = await Promise.all([
    startDynamoProxy(inject('dynamoDbUrl'), isOpenToTools ? everyRight : await functionRights()),
    startS3({ directory, bucket: bucketName(environment), accessKey: LOCAL_ACCESS_KEY, now: () => clock.now() }),
    startSecrets(`autowatering-backend-${environment}/secrets`, secretValues(secrets)),
    startStripe({ secretKey: secrets.stripeSecretKey, webhookSecret: secrets.stripeWebhookSecret }),
    startPlantProviders(),
    startGateway({ stage: environment, accessKey: LOCAL_ACCESS_KEY, now: () => clock.now() }),
    startMessages({ accessKey: LOCAL_ACCESS_KEY, now: () => clock.now() }),
    createTables(localDynamoDb(inject('dynamoDbUrl'), LOCAL_REGION), environment),
  ]);
  const tables = DynamoDBDocument.from(localDynamoDb(inject('dynamoDbUrl'), LOCAL_REGION));
  const variables: Record<string, string> = {
    ...backendEnvironment(environment, {
      dynamoDb: { url: isDirect ? inject('dynamoDbUrl') : dynamo.url },
      cognito: { url: inject('cognitoUrl'), jwksUri: inject('jwksUri') },
      s3,
      secrets: secretsManager,
      stripe,
      plants,
      relay,
      messages,
    }),
    ...BUSY_MACHINE,
    // Tests run the jobs by hand.
    JOBS_FUNCTION: '',
    ...env,
  };
  Object.assign(process.env, variables);
  const log = recordingLog(variables['LOG_LEVEL'] === 'DEBUG');
  const metrics = recordingMetrics();
  const real = createServices(variables, { clock, log, metrics });
  const services = { ...real, ...instead(real) };
  await connect(services);
  dynamo.operations.length = 0;
  const relayDynamo = isDirect
    ? dynamo
    : await startDynamoProxy(inject('dynamoDbUrl'), isOpenToTools ? everyRight : await functionRights('Relay'));
  if (createRelay !== undefined) {
    const own = { ...variables, AWS_ENDPOINT_URL_DYNAMODB: isDirect ? inject('dynamoDbUrl') : relayDynamo.url };
    Object.assign(process.env, own);
    const relayServices = createServices(own, { clock, log, metrics });
    await connect(relayServices);
    Object.assign(process.env, variables);
    relayDynamo.operations.length = 0;
    relay.deliverTo(createRelay(relayServices));
  }
  const app = createApp(services);
  const server = await listen(app);
  const url = `http://127.0.0.1:${portOf(server)}`;

  return {
    ...{
      url,
      environment,
      app,
      services,
      clock,
      log,
      metrics,
      secrets,
      dynamo,
      s3,
      secretsManager,
      stripe,
      plants,
      tables,
    },
    ...{ relay, relayDynamo, messages },
    call: (where, options) => call(url, where, options),
    async scan(table) {
      const items: Record<string, unknown>[] = [];
      for await (const page of paginateScan({ client: tables }, { TableName: services.config.tables[table] })) {
        items.push(...(page.Items ?? []));
      }
      return items;
    },
    async objects(prefix) {
      const credentials = { accessKeyId: LOCAL_ACCESS_KEY.id, secretAccessKey: LOCAL_ACCESS_KEY.secret };
      const client = new S3Client({ region: LOCAL_REGION, endpoint: s3.url, forcePathStyle: true, credentials });
      const { Contents: contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: bucketName(environment), Prefix: prefix }),
      );
      return contents.flatMap(({ Key: key }) => (key === undefined ? [] : [key]));
    },
    async stop() {
      server.closeAllConnections();
      await Promise.all([
        new Promise((resolve) => server.close(resolve)),
        ...[...new Set([dynamo, relayDynamo, s3, secretsManager, stripe, relay, messages])].map((standIn) =>
          standIn.stop(),
        ),
        stopPlantProviders(plants),
      ]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * The SDK reads its endpoints from the environment at a client's first call. Connecting here keeps a second backend in
 * the same test from redirecting the first. A service that the test made unreachable stays unreachable.
 */
async function connect(services: Services): Promise<void> {
  await Promise.allSettled([
    services.secrets.values(),
    services.objectStore.ping(),
    services.userDirectory.find('nobody'),
    services
      .documents()
      .then((documents) => documents.get({ TableName: services.config.tables.rateLimits, Key: { id: '-' } })),
  ]);
}

async function listen(app: App): Promise<Server> {
  const server = createNodeServer(fetchFrom(app));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

async function call(url: string, where: string, options: CallOptions = {}): Promise<Answer> {
  const { body, headers = {} } = options;
  const isForm = body instanceof FormData;
  const response = await fetch(`${url}${where}`, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: { ...(body === undefined || isForm ? {} : { 'Content-Type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: rawBody(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parseLeniently(text) };
}

function rawBody(body: unknown): FormData | string | Buffer {
  if (body instanceof FormData) return body;
  if (typeof body === 'string') return body;
  return body instanceof Uint8Array ? Buffer.from(body) : JSON.stringify(body);
}
