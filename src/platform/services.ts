import type { Clock } from './clock.ts';
import type { CognitoTokens } from './cognito-tokens.ts';
import type { Config } from './config.ts';
import type { Documents } from './dynamo.ts';
import type { Gbif } from './gbif.ts';
import type { Randomness } from './ids.ts';
import type { Kindwise } from './kindwise.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { ObjectLinks } from './object-links.ts';
import type { ObjectStore } from './object-store.ts';
import type { Plantnet } from './plantnet.ts';
import type { Secrets } from './secrets.ts';
import type { StripeGateway } from './stripe-gateway.ts';
import type { StripeSignatures } from './stripe-signatures.ts';
import type { UserDirectory } from './user-directory.ts';

/** Everything outside the process, and the two things that make a run unrepeatable: the time and chance. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly secrets: Secrets;
  readonly documents: Documents;
  readonly objectStore: ObjectStore;
  readonly objectLinks: ObjectLinks;
  readonly cognitoTokens: CognitoTokens;
  readonly userDirectory: UserDirectory;
  /** Loaded when somebody pays, or looks whether they can. */
  readonly stripe: () => Promise<StripeGateway>;
  readonly stripeSignatures: StripeSignatures;
  /** Loaded when the first photo comes. */
  readonly plantProviders: () => Promise<PlantProviders>;
}

export interface PlantProviders {
  readonly kindwise: Kindwise;
  readonly plantnet: Plantnet;
  readonly gbif: Gbif;
}
