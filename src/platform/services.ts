import type { CognitoTokens } from './aws/cognito/cognito-tokens.ts';
import type { Documents } from './aws/dynamo.ts';
import type { ObjectLinks } from './aws/object-links.ts';
import type { ObjectStore } from './aws/object-store.ts';
import type { Secrets } from './aws/secrets.ts';
import type { UserDirectory } from './aws/user-directory.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Randomness } from './ids.ts';
import type { Messengers } from './messaging/messengers.ts';
import type { Log } from './observability/log.ts';
import type { Metrics } from './observability/metrics.ts';
import type { RequestLine } from './observability/request-line.ts';
import type { Gbif } from './plant-providers/gbif.ts';
import type { Kindwise } from './plant-providers/kindwise.ts';
import type { Plantnet } from './plant-providers/plantnet.ts';
import type { StripeGateway } from './stripe/stripe-gateway.ts';
import type { StripeSignatures } from './stripe/stripe-signatures.ts';

/** Everything outside the process, plus time and randomness. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly requestLine: RequestLine;
  readonly secrets: Secrets;
  readonly documents: Documents;
  readonly objectStore: ObjectStore;
  readonly objectLinks: ObjectLinks;
  readonly cognitoTokens: CognitoTokens;
  readonly userDirectory: UserDirectory;
  /** Loaded when first needed for billing. */
  readonly stripe: () => Promise<StripeGateway>;
  readonly stripeSignatures: StripeSignatures;
  /** Loaded with the first message to somebody. */
  readonly messengers: () => Promise<Messengers>;
  /** Starts another Lambda function with an event, without waiting for its work. */
  readonly startFunction: (functionName: string, event: object) => Promise<void>;
  /** The HEIC decoder's worker script, whose location differs between sources and bundle. */
  readonly heicWorker: URL;
  /** Loaded with the first photo. */
  readonly plantProviders: () => Promise<PlantProviders>;
}

export interface PlantProviders {
  readonly kindwise: Kindwise;
  readonly plantnet: Plantnet;
  readonly gbif: Gbif;
}
