import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { startCognito } from '../../tools/run/local-stack/cognito/cognito-local.ts';
import { startDynamoDb } from '../../tools/run/local-stack/dynamodb/dynamodb-local.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    dynamoDbUrl: string;
    cognitoUrl: string;
    jwksUri: string;
  }
}

/** Starts the two real engines once per run. Each test brings its own tables and simulated services. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(path.join(tmpdir(), 'autowatering-test-'));
  const { signal } = new AbortController();
  const [dynamoDb, cognito] = await Promise.all([
    startDynamoDb({ logFile: path.join(directory, 'dynamodb.log') }, signal),
    startCognito({ directory: path.join(directory, 'cognito'), logFile: path.join(directory, 'cognito.log') }, signal),
  ]);
  project.provide('dynamoDbUrl', dynamoDb.url);
  project.provide('cognitoUrl', cognito.url);
  project.provide('jwksUri', cognito.jwksUri);
  return async () => {
    await Promise.all([dynamoDb.child.stop(), cognito.child.stop()]);
    await rm(directory, { recursive: true, force: true });
  };
}
