import { inject } from 'vitest';
import { createJobsFunction, type JobsResult } from '../../src/jobs-function.ts';
import { createDocuments } from '../../src/platform/aws/dynamo.ts';
import { systemRandomness } from '../../src/platform/ids.ts';
import { once } from '../../src/platform/once.ts';
import type { Backend } from './backend.ts';
import { type DynamoProxy, startDynamoProxy } from './dynamo-proxy.ts';
import { functionRights } from './function-rights.ts';

export interface Jobs {
  /** Another container of the function, as its schedule invokes it. */
  run(event?: object): Promise<JobsResult>;
  /** DynamoDB as the function reaches it, with its own permissions. */
  readonly dynamo: DynamoProxy;
  stop(): Promise<void>;
}

/** The function for work by time, beside a backend. */
export async function startJobs({ services }: Pick<Backend, 'services'>): Promise<Jobs> {
  const dynamo = await startDynamoProxy(inject('dynamoDbUrl'), await functionRights('Jobs'));
  const { config, log } = services;
  const documents = once(() =>
    createDocuments(config, { AWS_ENDPOINT_URL_DYNAMODB: dynamo.url }, log, systemRandomness),
  );
  return {
    run: (event = {}) => createJobsFunction({ ...services, documents })(event),
    dynamo,
    stop: () => dynamo.stop(),
  };
}
