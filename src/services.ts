import { createCognitoTokens } from './platform/aws/cognito/cognito-tokens.ts';
import { createDocuments } from './platform/aws/dynamo.ts';
import { createObjectLinks } from './platform/aws/object-links.ts';
import { createObjectStore } from './platform/aws/object-store.ts';
import { createSecretReader } from './platform/aws/secret-reader.ts';
import { createSecrets, reportMissing, type Secrets } from './platform/aws/secrets.ts';
import { createUserDirectory } from './platform/aws/user-directory.ts';
import { systemClock } from './platform/clock.ts';
import { type Config, parseConfig } from './platform/config.ts';
import { systemRandomness } from './platform/ids.ts';
import { createLog } from './platform/observability/log.ts';
import { createMetrics } from './platform/observability/metrics.ts';
import { createRequestLine, separateRequestLine } from './platform/observability/request-line.ts';
import { once } from './platform/once.ts';
import type { PlantProviders, Services } from './platform/services.ts';
import { createStripeSignatures } from './platform/stripe/stripe-signatures.ts';

/**
 * Creates the real services. Each one loads its SDK and connects on first use.
 *
 * @param overrides for tests, e.g. a movable clock
 * @throws ConfigError listing everything wrong with the environment
 */
export function createServices(
  env: Readonly<Record<string, string | undefined>>,
  overrides: Partial<Services> = {},
): Services {
  const config = parseConfig(env);
  const clock = overrides.clock ?? systemClock;
  const log = overrides.log ?? createLog(config.logLevel);
  const metrics = overrides.metrics ?? createMetrics(config.env, config.logLevel);
  const isOneStream = overrides.log === undefined && overrides.metrics === undefined;
  const secrets = createSecrets(
    createSecretReader(config, env, systemRandomness),
    config.secretsCacheMs,
    clock,
    metrics,
    reportMissing(config, log),
  );
  return {
    config,
    clock,
    randomness: systemRandomness,
    log,
    metrics,
    requestLine: isOneStream ? createRequestLine(config.env, config.logLevel) : separateRequestLine(log, metrics),
    secrets,
    documents: once(() => createDocuments(config, env, log, systemRandomness)),
    objectStore: createObjectStore(config.artifactBucket, config.region),
    objectLinks: createObjectLinks(config.artifactBucket, config.region, env['AWS_ENDPOINT_URL_S3'], clock),
    cognitoTokens: createCognitoTokens(config.cognito),
    userDirectory: createUserDirectory(config.cognito.userPoolId, config.region),
    stripe: once(async () => {
      const [{ createStripeClient }, { createStripeGateway }] = await Promise.all([
        import('./platform/stripe/stripe-client.ts'),
        import('./platform/stripe/stripe-gateway.ts'),
      ]);
      return createStripeGateway(createStripeClient({ secrets, clock, log, metrics }, config.stripeApiBase));
    }),
    stripeSignatures: createStripeSignatures(secrets, clock),
    messengers: once(async () => {
      const { createMessengers } = await import('./platform/messaging/messengers.ts');
      return createMessengers(config, env, { clock, randomness: overrides.randomness ?? systemRandomness, log });
    }),
    startFunction: createStarts(config.region, env, clock),
    heicWorker: new URL('./heic-worker.mjs', import.meta.url),
    plantProviders: once(() => createPlantProviders(secrets, config.plants)),
    ...overrides,
  };
}

/** Loaded with the first start. */
function createStarts(
  region: string,
  env: Readonly<Record<string, string | undefined>>,
  clock: Services['clock'],
): Services['startFunction'] {
  const starts = once(async () =>
    (await import('./platform/aws/function-starts.ts')).createFunctionStarts(region, env, clock),
  );
  return async (functionName, event) => (await starts())(functionName, event);
}

async function createPlantProviders(secrets: Secrets, config: Config['plants']): Promise<PlantProviders> {
  const [{ createKindwise }, { createPlantnet }, { createGbif }] = await Promise.all([
    import('./platform/plant-providers/kindwise.ts'),
    import('./platform/plant-providers/plantnet.ts'),
    import('./platform/plant-providers/gbif.ts'),
  ]);
  return {
    kindwise: createKindwise(secrets, config.kindwiseApiBase),
    plantnet: createPlantnet(secrets, config.plantnetApiBase),
    gbif: createGbif(config.gbifApiBase),
  };
}
