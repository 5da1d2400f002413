import * as z from 'zod';
import { LOG_LEVELS, type LogLevel } from './observability/log-level.ts';
import { type PlantsConfig, plantFields, plantsConfig } from './plant-providers/plants-config.ts';

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );

/** CloudFormation has no way to leave a variable out, only to leave it empty. */
const optional = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional());

const SCHEME = /^[a-z][a-z0-9+.-]*$/;
/** Schemes that run code, read files or leave the device's browser for anywhere: never an app's own. */
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

const billingFields = {
  STRIPE_PRICE_ID: optional(z.string().regex(/^price_\w+$/, 'a price id like price_1AbC')),
  RETURN_URL_ALLOWED_SCHEMES: list
    .refine((schemes) => schemes.every((scheme) => SCHEME.test(scheme)), 'schemes in lower case, without “://”')
    .refine((schemes) => schemes.every((scheme) => !FOREIGN_SCHEMES.has(scheme)), "only the app's own schemes"),
  RETURN_URL_ALLOWED_ORIGINS: list.refine(
    (origins) => origins.every(isWebOrigin),
    'origins like https://app.example.com',
  ),
  APP_BASE_URL: optional(z.url({ protocol: /^https?$/ })),
  API_BASE_URL: optional(z.url({ protocol: /^https?$/ })),
};

const otaFallbackFields = {
  OTA_LATEST_VERSION: z.string().optional(),
  OTA_LATEST_BOARD: z.string().default('arduino_nano_33_ble'),
  OTA_LATEST_CHANNEL: z.string().default('stable'),
  OTA_LATEST_STORAGE_KEY: z.string().optional(),
  OTA_LATEST_SIZE_BYTES: z.coerce.number().int().positive().optional(),
  OTA_LATEST_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  OTA_LATEST_NOTES: z.string().default(''),
  OTA_LATEST_MANDATORY: z.enum(['true', 'false']).default('false'),
};

const Environment = z
  .object({
    APP_ENV: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'lower-case letters, digits and dashes'),
    AWS_REGION: z.string().min(1),
    ARTIFACT_BUCKET: z.string().min(3),
    COGNITO_USER_POOL_ID: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d_\w+$/, 'a user pool id like eu-central-1_AbC123'),
    COGNITO_CLIENT_IDS: list.refine((ids) => ids.length > 0, 'at least one app client id'),
    COGNITO_JWKS_URI: z.url().optional(),
    ALLOWED_ORIGINS: list,
    OTA_IMAGE_SIGNATURES: z.enum(['required', 'registered']).default('required'),
    CLAIM_PROOF: z.enum(['required', 'optional']).default('required'),
    STRIPE_API_BASE: z.url().optional(),
    SECRETS_CACHE_SECONDS: z.coerce.number().int().min(0).max(3600).default(300),
    DYNAMODB_TIMEOUT_MS: z.coerce.number().int().min(30).max(30_000).default(1_000),
    DEPENDENCY_WAIT_MS: z.coerce.number().int().min(30).max(30_000).default(3_000),
    LOG_LEVEL: z.enum(LOG_LEVELS).default('INFO'),
    // Set by Lambda, where the function's own level is managed there.
    AWS_LAMBDA_LOG_LEVEL: optional(z.string()),
    FIRMWARE_LOCK_DAYS: optional(z.coerce.number().int().min(1).max(9999)),
    CHECK_RESPONSES: z.enum(['true', 'false']).default('false'),
    ...billingFields,
    ...plantFields,
    ...otaFallbackFields,
  })
  .superRefine((env, issues) => {
    const fallback = [
      env.OTA_LATEST_VERSION,
      env.OTA_LATEST_STORAGE_KEY,
      env.OTA_LATEST_SIZE_BYTES,
      env.OTA_LATEST_SHA256,
    ];
    const given = fallback.filter((value) => value !== undefined).length;
    if (given !== 0 && given !== fallback.length) {
      issues.addIssue({
        code: 'custom',
        path: ['OTA_LATEST_VERSION'],
        message: 'OTA_LATEST_VERSION, _STORAGE_KEY, _SIZE_BYTES and _SHA256 go together: set all of them or none',
      });
    }
  });

/** The release that is offered for one board and channel while the registry holds none (contract, OTA). */
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
  /** What a subscriber pays; without it nothing can be bought. */
  readonly priceId?: string;
  /** The app's own URL schemes, the first one for URLs that a client leaves out. */
  readonly returnSchemes: readonly string[];
  /** Web origins that Stripe's pages may lead back to. */
  readonly returnOrigins: readonly string[];
}

export interface Config {
  readonly env: string;
  readonly region: string;
  readonly tables: {
    readonly users: string;
    readonly provisioning: string;
    readonly otaReleases: string;
    readonly rateLimits: string;
  };
  /** The least important lines that are logged; `SILENT` writes none, and no metrics. */
  readonly logLevel: LogLevel;
  /** Longest one call to DynamoDB may take; the SDK makes it up to three times. */
  readonly dynamoDbTimeoutMs: number;
  /** How long one request waits in all for AWS services that do not answer. */
  readonly dependencyWaitMs: number;
  readonly artifactBucket: string;
  readonly secretId: string;
  readonly secretsCacheMs: number;
  readonly cognito: {
    readonly userPoolId: string;
    readonly clientIds: readonly string[];
    /** Where the key set is fetched instead of Cognito's own address; set by the local stack only. */
    readonly jwksUri?: string;
  };
  readonly allowedOrigins: readonly string[];
  readonly claimProof: 'required' | 'optional';
  /** Whether a board without a registered key may publish: then only the image's hash is held against its bytes. */
  readonly otaImageSignatures: 'required' | 'registered';
  readonly stripeApiBase?: string;
  readonly billing: BillingConfig;
  readonly plants: PlantsConfig;
  /** This API's own address, where it is not the one that API Gateway gave it. */
  readonly apiBaseUrl?: string;
  /** For how many days published firmware can be neither removed nor replaced; left out, it is not locked. */
  readonly firmwareLockDays?: number;
  /** Holds every answer against its schema before it is sent. On in tests and locally, off where it costs money. */
  readonly checkResponses: boolean;
  readonly otaFallback?: OtaFallback;
}

/** The environment does not describe a runnable backend; the message lists everything that is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the whole configuration from environment variables.
 *
 * @throws ConfigError naming every variable that is missing or malformed, all at once.
 */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const result = Environment.safeParse(env);
  if (!result.success) {
    const faults = result.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new ConfigError(`The configuration is not usable:\n${faults.join('\n')}`);
  }
  const values = result.data;
  const fallback = otaFallback(values);
  return {
    env: values.APP_ENV,
    region: values.AWS_REGION,
    tables: {
      users: `autowatering-users-${values.APP_ENV}`,
      provisioning: `autowatering-provisioning-${values.APP_ENV}`,
      otaReleases: `autowatering-ota-releases-${values.APP_ENV}`,
      rateLimits: `autowatering-rate-limits-${values.APP_ENV}`,
    },
    dynamoDbTimeoutMs: values.DYNAMODB_TIMEOUT_MS,
    dependencyWaitMs: values.DEPENDENCY_WAIT_MS,
    artifactBucket: values.ARTIFACT_BUCKET,
    secretId: `autowatering-backend-${values.APP_ENV}/secrets`,
    secretsCacheMs: values.SECRETS_CACHE_SECONDS * 1000,
    cognito: {
      userPoolId: values.COGNITO_USER_POOL_ID,
      clientIds: values.COGNITO_CLIENT_IDS,
      ...(values.COGNITO_JWKS_URI === undefined ? {} : { jwksUri: values.COGNITO_JWKS_URI }),
    },
    allowedOrigins: values.ALLOWED_ORIGINS,
    claimProof: values.CLAIM_PROOF,
    otaImageSignatures: values.OTA_IMAGE_SIGNATURES,
    ...(values.STRIPE_API_BASE === undefined ? {} : { stripeApiBase: values.STRIPE_API_BASE }),
    billing: billing(values),
    plants: plantsConfig(values),
    ...(values.API_BASE_URL === undefined ? {} : { apiBaseUrl: values.API_BASE_URL.replace(/\/+$/, '') }),
    ...(values.FIRMWARE_LOCK_DAYS === undefined ? {} : { firmwareLockDays: values.FIRMWARE_LOCK_DAYS }),
    logLevel: logLevel(values.AWS_LAMBDA_LOG_LEVEL) ?? values.LOG_LEVEL,
    checkResponses: values.CHECK_RESPONSES === 'true',
    ...(fallback === undefined ? {} : { otaFallback: fallback }),
  };
}

function billing(values: z.output<typeof Environment>): BillingConfig {
  const { STRIPE_PRICE_ID: priceId, APP_BASE_URL: app, RETURN_URL_ALLOWED_SCHEMES: schemes } = values;
  const origins = [...values.RETURN_URL_ALLOWED_ORIGINS, ...(app === undefined ? [] : [new URL(app).origin])];
  return {
    ...(priceId === undefined ? {} : { priceId }),
    returnSchemes: schemes.length === 0 ? ['autowatering'] : schemes,
    returnOrigins: [...new Set(origins)],
  };
}

function isWebOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

function otaFallback(values: z.output<typeof Environment>): OtaFallback | undefined {
  const { OTA_LATEST_VERSION: version, OTA_LATEST_STORAGE_KEY: storageKey } = values;
  const { OTA_LATEST_SIZE_BYTES: sizeBytes, OTA_LATEST_SHA256: sha256 } = values;
  if (version === undefined || storageKey === undefined || sizeBytes === undefined || sha256 === undefined) {
    return undefined;
  }
  return {
    version,
    board: values.OTA_LATEST_BOARD,
    channel: values.OTA_LATEST_CHANNEL,
    storageKey,
    sizeBytes,
    sha256,
    notes: values.OTA_LATEST_NOTES,
    mandatory: values.OTA_LATEST_MANDATORY === 'true',
  };
}

/** Lambda knows two more levels than we write. */
function logLevel(ofLambda: string | undefined): LogLevel | undefined {
  if (ofLambda === 'TRACE') return 'DEBUG';
  if (ofLambda === 'FATAL') return 'ERROR';
  return LOG_LEVELS.find((level) => level === ofLambda);
}
