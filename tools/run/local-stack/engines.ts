import path from 'node:path';
import {
  type CognitoLocal,
  LOCAL_CLIENT_ID,
  LOCAL_REGION,
  LOCAL_USER_POOL_ID,
  startCognito,
} from './cognito/cognito-local.ts';
import { type DynamoDbLocal, startDynamoDb } from './dynamodb/dynamodb-local.ts';
import { type RelayGateway, startGateway } from './gateway/relay-gateway.ts';
import { type MessagesStandIn, startMessages } from './messages/messages-stand-in.ts';
import { startGbif } from './plants/gbif-stand-in.ts';
import { LOCAL_KINDWISE_KEY, startKindwise } from './plants/kindwise-stand-in.ts';
import { LOCAL_PLANTNET_KEY, startPlantnet } from './plants/plantnet-stand-in.ts';
import type { ProviderStandIn } from './plants/provider-stand-in.ts';
import { startS3 } from './s3/s3-stand-in.ts';
import type { LocalSecrets } from './secrets/local-secrets.ts';
import { type SecretsStandIn, startSecrets } from './secrets/secrets-stand-in.ts';
import type { StandIn } from './stand-in-server.ts';
import { LOCAL_PRICE } from './stripe/objects.ts';
import { type StripeStandIn, startStripe } from './stripe/stripe-stand-in.ts';

/** Origins of the web app on a developer's machine: Vite, Ionic, and the app's own shells. */
const WEB_APP_ORIGINS = ['http://localhost:5173', 'http://localhost:8100', 'http://localhost', 'https://localhost'];

export const LOCAL_ACCESS_KEY = { id: 'local', secret: 'local' } as const;

/** Everything outside the backend: real engines and stand-ins, on loopback. */
export interface Engines {
  readonly dynamoDb: DynamoDbLocal;
  readonly cognito: CognitoLocal;
  readonly s3: StandIn;
  readonly secrets: SecretsStandIn;
  readonly stripe: StripeStandIn;
  readonly plants: PlantStandIns;
  /** The relay's WebSocket API. */
  readonly relay: RelayGateway;
  /** Where mails and pushes go. */
  readonly messages: MessagesStandIn;
  /** Returns the first engine that ended unexpectedly, with the reason. */
  broken(): string | undefined;
  stop(): Promise<void>;
}

export interface PlantStandIns {
  readonly kindwise: ProviderStandIn;
  readonly plantnet: ProviderStandIn;
  readonly gbif: ProviderStandIn;
}

/** The three plant services, each on its own port. */
export async function startPlantProviders(): Promise<PlantStandIns> {
  const [kindwise, plantnet, gbif] = await Promise.all([startKindwise(), startPlantnet(), startGbif()]);
  return { kindwise, plantnet, gbif };
}

export async function stopPlantProviders({ kindwise, plantnet, gbif }: PlantStandIns): Promise<void> {
  await Promise.all([kindwise.stop(), plantnet.stop(), gbif.stop()]);
}

export interface EnginesOptions {
  /** The environment's name, used in the names of tables, bucket and secret. */
  readonly environment: string;
  readonly directory: string;
  /** Whether data survives a restart. */
  readonly persistent: boolean;
  readonly secrets: LocalSecrets;
  /** Prefers the well-known ports if they are free. */
  readonly wellKnownPorts: boolean;
  /** For benchmarks: the database is optimised for a long load. */
  readonly isUnderLoad?: boolean;
}

export function bucketName(environment: string): string {
  return `autowatering-artifacts-${environment}`;
}

export async function startEngines(options: EnginesOptions, signal: AbortSignal): Promise<Engines> {
  const { directory, environment, secrets } = options;
  const at = (port: number) => (options.wellKnownPorts ? { preferredPort: port } : {});
  const log = (name: string) => path.join(directory, 'logs', `${name}.log`);
  const started: (() => Promise<void>)[] = [];
  const stop = async () => {
    await Promise.all(started.map((end) => end()));
  };
  const track = async <T>(starting: Promise<T>, end: (it: T) => Promise<void>): Promise<T> => {
    const it = await starting;
    started.push(() => end(it));
    return it;
  };
  const parts = await Promise.allSettled([
    track(
      startDynamoDb(
        {
          ...(options.persistent ? { directory: path.join(directory, 'dynamodb') } : {}),
          logFile: log('dynamodb'),
          ...(options.isUnderLoad === undefined ? {} : { isUnderLoad: options.isUnderLoad }),
          ...at(8000),
        },
        signal,
      ),
      (it) => it.child.stop(),
    ),
    track(
      startCognito({ directory: path.join(directory, 'cognito'), logFile: log('cognito'), ...at(9229) }, signal),
      (it) => it.child.stop(),
    ),
    track(
      startS3({
        directory: path.join(directory, 's3'),
        bucket: bucketName(environment),
        accessKey: LOCAL_ACCESS_KEY,
        ...at(9000),
      }),
      (it) => it.stop(),
    ),
    track(startSecrets(`autowatering-backend-${environment}/secrets`, secretValues(secrets)), (it) => it.stop()),
    track(
      startStripe({
        secretKey: secrets.stripeSecretKey,
        webhookSecret: secrets.stripeWebhookSecret,
        ...(options.persistent ? { file: path.join(directory, 'stripe', 'state.json') } : {}),
        ...at(12_111),
      }),
      (it) => it.stop(),
    ),
    track(startPlantProviders(), stopPlantProviders),
    track(startGateway({ stage: environment, accessKey: LOCAL_ACCESS_KEY, ...at(3001) }), (it) => it.stop()),
    track(startMessages({ accessKey: LOCAL_ACCESS_KEY, ...at(3002) }), (it) => it.stop()),
  ]);
  const [dynamoDb, cognito, s3, secretsStandIn, stripe, plants, relay, messages] = parts;
  if (
    dynamoDb.status === 'rejected' ||
    cognito.status === 'rejected' ||
    s3.status === 'rejected' ||
    secretsStandIn.status === 'rejected' ||
    stripe.status === 'rejected' ||
    plants.status === 'rejected' ||
    relay.status === 'rejected' ||
    messages.status === 'rejected'
  ) {
    await stop();
    throw parts.find((part) => part.status === 'rejected')?.reason;
  }
  const children = [dynamoDb.value.child, cognito.value.child];
  return {
    dynamoDb: dynamoDb.value,
    cognito: cognito.value,
    s3: s3.value,
    secrets: secretsStandIn.value,
    stripe: stripe.value,
    plants: plants.value,
    relay: relay.value,
    messages: messages.value,
    broken: () => {
      const child = children.find((one) => one.ended() !== undefined);
      return child && `${child.name} ended (${child.ended()}). Its output is in ${child.logFile}.`;
    },
    stop,
  };
}

export function secretValues(secrets: LocalSecrets): Record<string, string> {
  return {
    FACTORY_PROVISION_TOKEN: secrets.factoryToken,
    OTA_ADMIN_TOKEN: secrets.adminToken,
    RATE_LIMIT_SALT: secrets.rateLimitSalt,
    CLAIM_CODE_KEY: secrets.claimCodeKey,
    STRIPE_SECRET_KEY: secrets.stripeSecretKey,
    STRIPE_WEBHOOK_SECRET: secrets.stripeWebhookSecret,
    KINDWISE_API_KEY: LOCAL_KINDWISE_KEY,
    PLANTNET_API_KEY: LOCAL_PLANTNET_KEY,
    OTA_SIGNING_KEY: secrets.otaSigningKey,
    RELAY_IDENTITY_KEY: secrets.relayIdentityKey,
    RELAY_WRAP_KEY: secrets.relayWrapKey,
    VAPID_KEY: secrets.vapidKey,
    UNSUBSCRIBE_KEY: secrets.unsubscribeKey,
  };
}

export interface EngineAddresses {
  readonly dynamoDb: Pick<DynamoDbLocal, 'url'>;
  readonly cognito: Pick<CognitoLocal, 'url' | 'jwksUri'>;
  readonly s3: Pick<StandIn, 'url'>;
  readonly secrets: Pick<StandIn, 'url'>;
  readonly stripe: Pick<StandIn, 'url'>;
  readonly plants: Readonly<Record<keyof PlantStandIns, Pick<StandIn, 'url'>>>;
  readonly relay: Pick<RelayGateway, 'url' | 'endpoint'>;
  readonly messages: Pick<StandIn, 'url'>;
}

/** Returns the backend's environment variables for these engines, using the SDK's own endpoint variables. */
export function backendEnvironment(environment: string, engines: EngineAddresses): Record<string, string> {
  return {
    APP_ENV: environment,
    AWS_REGION: LOCAL_REGION,
    AWS_ACCESS_KEY_ID: LOCAL_ACCESS_KEY.id,
    AWS_SECRET_ACCESS_KEY: LOCAL_ACCESS_KEY.secret,
    AWS_ENDPOINT_URL_DYNAMODB: engines.dynamoDb.url,
    // A Lambda container handles one request at a time. Here, requests share one process and one database, so a second
    // attempt would only lengthen the queue.
    DYNAMODB_TIMEOUT_MS: '3000',
    AWS_ENDPOINT_URL_S3: engines.s3.url,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: engines.secrets.url,
    AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER: engines.cognito.url,
    ARTIFACT_BUCKET: bucketName(environment),
    COGNITO_USER_POOL_ID: LOCAL_USER_POOL_ID,
    COGNITO_CLIENT_IDS: LOCAL_CLIENT_ID,
    COGNITO_JWKS_URI: engines.cognito.jwksUri,
    STRIPE_API_BASE: engines.stripe.url,
    KINDWISE_API_BASE: engines.plants.kindwise.url,
    PLANTNET_API_BASE: engines.plants.plantnet.url,
    GBIF_API_BASE: engines.plants.gbif.url,
    RELAY_URL: engines.relay.url,
    RELAY_ENDPOINT: engines.relay.endpoint,
    AWS_ENDPOINT_URL_SESV2: engines.messages.url,
    AWS_ENDPOINT_URL_SNS: engines.messages.url,
    EXTRA_PUSH_ORIGINS: engines.messages.url,
    JOBS_FUNCTION: 'jobs',
    MAIL_FROM: 'AutoWatering <hello@autowatering.example>',
    WEB_PUSH_CONTACT: 'mailto:hello@autowatering.example',
    MOBILE_PUSH_APPLE: `arn:aws:sns:${LOCAL_REGION}:000000000000:app/APNS/local`,
    MOBILE_PUSH_ANDROID: `arn:aws:sns:${LOCAL_REGION}:000000000000:app/GCM/local`,
    STRIPE_PRICE_ID: LOCAL_PRICE.id,
    RETURN_URL_ALLOWED_SCHEMES: 'autowatering',
    RETURN_URL_ALLOWED_ORIGINS: WEB_APP_ORIGINS.join(','),
    ALLOWED_ORIGINS: '*',
    CLAIM_PROOF: 'optional',
    OTA_IMAGE_SIGNATURES: 'registered',
    CHECK_RESPONSES: 'true',
    LOG_LEVEL: 'INFO',
  };
}
