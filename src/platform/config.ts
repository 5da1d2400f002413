import {
  type EnvironmentReader,
  matching,
  readEnvironment,
  type Variables,
  WEB_ADDRESS,
  WEB_SOCKET_ADDRESS,
} from './environment.ts';
import { LOG_LEVELS, type LogLevel } from './observability/log-level.ts';
import { type PlantsConfig, plantsConfig } from './plant-providers/plants-config.ts';

const SCHEME = /^[a-z][a-z0-9+.-]*$/;
/** Schemes that run code, read files or open other apps; never an app's own. */
const FOREIGN_SCHEMES = new Set([
  'about',
  'blob',
  'data',
  'file',
  'filesystem',
  'http',
  'https',
  'intent',
  'javascript',
  'vbscript',
]);

/** The release offered for one board and channel while the registry has none (contract, OTA). */
export interface OtaFallback {
  readonly version: string;
  readonly board: string;
  readonly channel: string;
  readonly storageKey: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly notes: string;
  readonly mandatory: boolean;
}

export interface BillingConfig {
  /** The subscription's price; without it nothing can be bought. */
  readonly priceId?: string;
  /** The app's own URL schemes. The first is the default. */
  readonly returnSchemes: readonly string[];
  /** Web origins that Stripe's pages may return to. */
  readonly returnOrigins: readonly string[];
}

/** The ways out to people. What is missing is off. */
export interface NotificationsConfig {
  /** Sender of mails, an address or `Name <address>`. */
  readonly mailFrom?: string;
  /** Whom push services may write to: `mailto:` or `https:`. */
  readonly pushContact?: string;
  /** Where links in mails lead, if not to this API's own address. */
  readonly linkBaseUrl?: string;
  /** Push services besides the known ones; only a local stack has some. */
  readonly extraPushOrigins: readonly string[];
  /** SNS's platform applications. */
  readonly mobileApplications: { readonly apple?: string; readonly android?: string };
  /** The function that delivers at once; without it messages leave with the next regular run. */
  readonly jobsFunction?: string;
}

export interface Config {
  readonly env: string;
  readonly region: string;
  readonly tables: {
    readonly users: string;
    readonly provisioning: string;
    readonly otaReleases: string;
    readonly rateLimits: string;
    readonly relay: string;
    readonly garden: string;
  };
  /** The lowest level that is logged. `SILENT` turns off logs and metrics. */
  readonly logLevel: LogLevel;
  /** Timeout of one attempt at a call to DynamoDB; there are up to three. */
  readonly dynamoDbTimeoutMs: number;
  /** How long one request waits in total for AWS services that don't answer. */
  readonly dependencyWaitMs: number;
  readonly artifactBucket: string;
  readonly secretId: string;
  readonly secretsCacheMs: number;
  readonly cognito: {
    readonly userPoolId: string;
    readonly clientIds: readonly string[];
    /** Overrides the address of Cognito's key set; set only by the local stack. */
    readonly jwksUri?: string;
  };
  readonly allowedOrigins: readonly string[];
  readonly claimProof: 'required' | 'optional';
  /** With `registered`, boards without a registered key may publish; then only the image's hash is verified. */
  readonly otaImageSignatures: 'required' | 'registered';
  readonly stripeApiBase?: string;
  readonly billing: BillingConfig;
  readonly plants: PlantsConfig;
  readonly relay: {
    /** Where peers connect, as told to clients: `wss://…`. Without it this environment has no WebSocket API. */
    readonly url?: string;
    /** The WebSocket API's `@connections` address: `https://…`. */
    readonly endpoint?: string;
  };
  readonly notifications: NotificationsConfig;
  /** This API's address, if it differs from API Gateway's. */
  readonly apiBaseUrl?: string;
  /** For how many days published firmware can't be removed or replaced. Not locked if undefined. */
  readonly firmwareLockDays?: number;
  /** Checks every answer against its schema before sending it. On in tests and locally, off in AWS. */
  readonly checkResponses: boolean;
  readonly otaFallback?: OtaFallback;
}

/** The environment is not valid; the message lists everything that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the whole configuration from environment variables.
 *
 * @throws ConfigError naming every missing or malformed variable
 */
export function parseConfig(variables: Variables): Config {
  const read = readEnvironment(variables);
  const env = read.required('APP_ENV', matching(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits and dashes'));
  const jwksUri = read.optional('COGNITO_JWKS_URI', WEB_ADDRESS);
  const stripeApiBase = read.optional('STRIPE_API_BASE', WEB_ADDRESS);
  const apiBaseUrl = read.optional('API_BASE_URL', WEB_ADDRESS);
  const relayUrl = read.optional('RELAY_URL', WEB_SOCKET_ADDRESS);
  const relayEndpoint = read.optional('RELAY_ENDPOINT', WEB_ADDRESS);
  const firmwareLockDays = read.optionalNumber('FIRMWARE_LOCK_DAYS', { min: 1, max: 9_999 });
  const fallback = otaFallback(read);
  const config: Config = {
    env,
    region: read.required('AWS_REGION'),
    tables: {
      users: `autowatering-users-${env}`,
      provisioning: `autowatering-provisioning-${env}`,
      otaReleases: `autowatering-ota-releases-${env}`,
      rateLimits: `autowatering-rate-limits-${env}`,
      relay: `autowatering-relay-${env}`,
      garden: `autowatering-garden-${env}`,
    },
    dynamoDbTimeoutMs: read.number('DYNAMODB_TIMEOUT_MS', { min: 30, max: 30_000 }, 1_000),
    dependencyWaitMs: read.number('DEPENDENCY_WAIT_MS', { min: 30, max: 30_000 }, 3_000),
    artifactBucket: read.required('ARTIFACT_BUCKET'),
    secretId: `autowatering-backend-${env}/secrets`,
    secretsCacheMs: read.number('SECRETS_CACHE_SECONDS', { min: 0, max: 3_600 }, 300) * 1000,
    cognito: {
      userPoolId: read.required(
        'COGNITO_USER_POOL_ID',
        matching(/^[a-z]{2}(-[a-z]+)+-\d_\w+$/, 'a user pool id like eu-central-1_AbC123'),
      ),
      clientIds: read.list('COGNITO_CLIENT_IDS', { test: (ids) => ids.length > 0, text: 'at least one app client id' }),
      ...(jwksUri === undefined ? {} : { jwksUri }),
    },
    allowedOrigins: read.list('ALLOWED_ORIGINS'),
    claimProof: read.choice('CLAIM_PROOF', ['required', 'optional'], 'required'),
    otaImageSignatures: read.choice('OTA_IMAGE_SIGNATURES', ['required', 'registered'], 'required'),
    ...(stripeApiBase === undefined ? {} : { stripeApiBase }),
    billing: billing(read),
    plants: plantsConfig(read),
    relay: {
      ...(relayUrl === undefined ? {} : { url: relayUrl }),
      ...(relayEndpoint === undefined ? {} : { endpoint: relayEndpoint.replace(/\/+$/, '') }),
    },
    notifications: notifications(read),
    ...(apiBaseUrl === undefined ? {} : { apiBaseUrl: apiBaseUrl.replace(/\/+$/, '') }),
    ...(firmwareLockDays === undefined ? {} : { firmwareLockDays }),
    logLevel: logLevelOfLambda(variables['AWS_LAMBDA_LOG_LEVEL']) ?? read.choice('LOG_LEVEL', LOG_LEVELS, 'INFO'),
    checkResponses: read.flag('CHECK_RESPONSES', false),
    ...(fallback === undefined ? {} : { otaFallback: fallback }),
  };
  if (read.faults.length > 0) {
    throw new ConfigError(`The configuration is not usable:\n${read.faults.map((one) => `  ${one}`).join('\n')}`);
  }
  return config;
}

function billing(read: EnvironmentReader): BillingConfig {
  const priceId = read.optional('STRIPE_PRICE_ID', matching(/^price_\w+$/, 'a price id like price_1AbC'));
  const app = read.optional('APP_BASE_URL', WEB_ADDRESS);
  const schemes = read.list('RETURN_URL_ALLOWED_SCHEMES', {
    test: (names) => names.every((name) => SCHEME.test(name) && !FOREIGN_SCHEMES.has(name)),
    text: "the app's own schemes, in lower case, without “://”",
  });
  const origins = read.list('RETURN_URL_ALLOWED_ORIGINS', {
    test: (entries) => entries.every(isWebOrigin),
    text: 'origins like https://app.example.com',
  });
  const all = [...origins, ...(app === undefined || !URL.canParse(app) ? [] : [new URL(app).origin])];
  return {
    ...(priceId === undefined ? {} : { priceId }),
    returnSchemes: schemes.length === 0 ? ['autowatering'] : schemes,
    returnOrigins: [...new Set(all)],
  };
}

function notifications(read: EnvironmentReader): NotificationsConfig {
  const mailFrom = read.optional(
    'MAIL_FROM',
    matching(/^[^@\s<>]+@[^@\s<>]+$|^[^<>]+<[^@\s<>]+@[^@\s<>]+>$/, 'an address'),
  );
  const pushContact = read.optional(
    'WEB_PUSH_CONTACT',
    matching(/^(mailto:\S+@\S+|https:\/\/\S+)$/, 'mailto: or https:'),
  );
  const application = matching(
    /^arn:[a-z-]+:sns:[a-z0-9-]+:\d+:app\/\S+$/,
    "the ARN of one of SNS's platform applications",
  );
  const apple = read.optional('MOBILE_PUSH_APPLE', application);
  const android = read.optional('MOBILE_PUSH_ANDROID', application);
  const jobsFunction = read.optional('JOBS_FUNCTION');
  const linkBaseUrl = read.optional('LINK_BASE_URL', WEB_ADDRESS);
  const extraPushOrigins = read.list('EXTRA_PUSH_ORIGINS', {
    test: (entries) => entries.every(isWebOrigin),
    text: 'origins like https://push.example.com',
  });
  return {
    ...(mailFrom === undefined ? {} : { mailFrom }),
    ...(pushContact === undefined ? {} : { pushContact }),
    extraPushOrigins,
    mobileApplications: { ...(apple === undefined ? {} : { apple }), ...(android === undefined ? {} : { android }) },
    ...(jobsFunction === undefined ? {} : { jobsFunction }),
    ...(linkBaseUrl === undefined ? {} : { linkBaseUrl: linkBaseUrl.replace(/\/+$/, '') }),
  };
}

function isWebOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Requires all of its variables or none. */
function otaFallback(read: EnvironmentReader): OtaFallback | undefined {
  const version = read.optional('OTA_LATEST_VERSION');
  const storageKey = read.optional('OTA_LATEST_STORAGE_KEY');
  const sizeBytes = read.optionalNumber('OTA_LATEST_SIZE_BYTES', { min: 1, max: Number.MAX_SAFE_INTEGER });
  const sha256 = read.optional('OTA_LATEST_SHA256', matching(/^[0-9a-f]{64}$/, '64 hexadecimal digits in lower case'));
  const more = {
    board: read.optional('OTA_LATEST_BOARD') ?? 'arduino_nano_33_ble',
    channel: read.optional('OTA_LATEST_CHANNEL') ?? 'stable',
    notes: read.optional('OTA_LATEST_NOTES') ?? '',
    mandatory: read.flag('OTA_LATEST_MANDATORY', false),
  };
  if (version === undefined || storageKey === undefined || sizeBytes === undefined || sha256 === undefined) {
    const given = [version, storageKey, sizeBytes, sha256].filter((value) => value !== undefined);
    if (given.length > 0) {
      read.fault(
        'OTA_LATEST_VERSION',
        'OTA_LATEST_VERSION, _STORAGE_KEY, _SIZE_BYTES and _SHA256 go together: set all of them or none',
      );
    }
    return undefined;
  }
  return { version, storageKey, sizeBytes, sha256, ...more };
}

/** Lambda has two more levels than we do. */
function logLevelOfLambda(level: string | undefined): LogLevel | undefined {
  if (level === 'TRACE') return 'DEBUG';
  if (level === 'FATAL') return 'ERROR';
  return LOG_LEVELS.find((known) => known === level);
}
