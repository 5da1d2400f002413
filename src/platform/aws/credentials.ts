import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { once } from '../once.ts';

/** AWS credentials for every client of this process, looked up once and renewed when they expire. */
export const awsCredentials = once(async () => defaultProvider());
