import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { LOCAL_REGION } from '../../tools/run/local-stack/cognito/cognito-local.ts';
import { createTables, localDynamoDb } from '../../tools/run/local-stack/dynamodb/tables.ts';
import { type DrillAccount, startDrillAccount } from '../support/drill-account.ts';
import { type RecoverableDynamo, startRecoverableDynamo } from '../support/recoverable-dynamo.ts';
import { runTool } from '../support/run-tool.ts';

/*
 * A drill environment is as well protected as prod and holds prod's personal data. Removing it must remove everything
 * of it and nothing else. The tables are in DynamoDB Local; the rest of AWS is simulated.
 */

const dynamo = localDynamoDb(inject('dynamoDbUrl'), LOCAL_REGION);
let env: string;
let account: DrillAccount;
let recoverable: RecoverableDynamo;
const tablesOf = (environment: string) =>
  ['users', 'provisioning', 'ota-releases', 'rate-limits', 'relay', 'garden'].map(
    (name) => `autowatering-${name}-${environment}`,
  );

beforeEach(async () => {
  env = `drill-${randomBytes(4).toString('hex')}`;
  recoverable = await startRecoverableDynamo(inject('dynamoDbUrl'));
  account = await startDrillAccount({
    stack: { name: `autowatering-${env}`, environment: env, tags: { purpose: 'drill' } },
    buckets: new Map([
      [
        `autowatering-artifacts-${env}-123456789012`,
        [
          { key: 'user-state/u1', id: 'v2', isMarker: true, isLocked: false },
          { key: 'user-state/u1', id: 'v1', isMarker: false, isLocked: false },
          { key: 'user-state/u2', id: 'v3', isMarker: false, isLocked: false },
          { key: 'releases/x', id: 'v4', isMarker: false, isLocked: true },
        ],
      ],
      [`autowatering-artifacts-${env}-other-123456789012`, []],
    ]),
    logGroups: new Set([
      ...[`/aws/lambda/autowatering-backend-${env}`, `/aws/lambda/autowatering-relay-${env}`],
      ...[`/aws/websocket-api/autowatering-${env}`, `/aws/lambda/autowatering-backend-${env}-other`],
    ]),
    secrets: new Set([`autowatering-backend-${env}/secrets`]),
    vaults: new Map([
      [`autowatering-${env}`, ['arn:aws:backup:eu-central-1:1:recovery-point:a']],
      ['Default', ['arn:other']],
    ]),
  });
  await createTables(dynamo, env);
  for (const TableName of tablesOf(env)) {
    await dynamo.updateTable({ TableName, DeletionProtectionEnabled: true });
    recoverable.protect(TableName);
  }
});
afterEach(async () => {
  await Promise.all([account.stop(), recoverable.stop()]);
});

const drill = (...args: string[]) =>
  runTool('drill', ['remove', ...args], {
    env: {
      ...{ AWS_REGION: LOCAL_REGION, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
      ...{ AWS_ENDPOINT_URL: account.url, AWS_ENDPOINT_URL_DYNAMODB: recoverable.url },
    },
  });
const tablesLeft = async () => {
  const { TableNames: names = [] } = await dynamo.listTables({ Limit: 100 });
  const more: string[] = [];
  for (const name of tablesOf(env)) {
    if (names.includes(name)) more.push(name);
    else if (
      await dynamo.describeTable({ TableName: name }).then(
        () => true,
        () => false,
      )
    )
      more.push(name);
  }
  return more;
};

describe('removing a drill', () => {
  it('removes all its resources despite their protection, and nothing of another environment', async () => {
    const run = await drill('--env', env, '--confirm', env);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toContain(`Nothing is left of ${env}.`);
    expect(await tablesLeft()).toEqual([]);
    // With point-in-time recovery on, DynamoDB would keep a final backup for 35 days.
    expect(tablesOf(env).filter((name) => recoverable.isProtected(name))).toEqual([]);
    expect(account.changes).toEqual([
      `stack autowatering-${env}`,
      `bucket autowatering-artifacts-${env}-123456789012`,
      `log group /aws/lambda/autowatering-backend-${env}`,
      `log group /aws/lambda/autowatering-relay-${env}`,
      `log group /aws/websocket-api/autowatering-${env}`,
      `secret autowatering-backend-${env}/secrets true`,
      `vault autowatering-${env}`,
    ]);
    expect([...account.buckets.keys()]).toEqual([`autowatering-artifacts-${env}-other-123456789012`]);
    expect([...account.logGroups]).toEqual([`/aws/lambda/autowatering-backend-${env}-other`]);
    expect([...account.vaults.keys()]).toEqual(['Default']);

    const again = await drill('--env', env, '--confirm', env);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining(`There is nothing of ${env}`)]);
  }, 60_000);

  it('continues where an interrupted run stopped', async () => {
    account.setFaults([{ match: '^POST .*delete', status: 500, times: 20 }]);
    expect((await drill('--env', env, '--confirm', env)).code).toBe(1);
    account.setFaults([]);
    // The stack and its tag are gone by now.
    expect(account.stack).toBeUndefined();
    const run = await drill('--env', env, '--confirm', env, '--json');
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(account.buckets.size).toBe(1);
  }, 60_000);

  it('only lists resources with --dry-run', async () => {
    const run = await drill('--env', env, '--dry-run');
    expect([run.code, run.stderr]).toEqual([0, '']);
    for (const one of [`stack +autowatering-${env}`, ...tablesOf(env), '4 versions and delete markers', '1 backups']) {
      expect(run.stdout).toMatch(new RegExp(one));
    }
    expect(run.stdout).toMatch(/items, protected/);
    expect([account.changes, await tablesLeft()]).toEqual([[], tablesOf(env)]);
  });
});

describe('removing any other environment', () => {
  const untouched = async () => expect([account.changes, await tablesLeft()]).toEqual([[], tablesOf(env)]);

  it.each(['prod', 'staging', 'dev', 'drills'])('is refused for %s because of its name', async (name) => {
    const run = await drill('--env', name, '--confirm', name);
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining(`${name} is not a drill`)]);
    await untouched();
  });

  it('is refused when the stack is not marked as a drill', async () => {
    account.stack = { name: `autowatering-${env}`, environment: env, tags: { purpose: 'sales' } };
    const run = await drill('--env', env, '--confirm', env);
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('is not marked as a drill')]);
    await untouched();
  });

  it('is refused when the stack belongs to another environment', async () => {
    account.stack = { name: `autowatering-${env}`, environment: 'prod', tags: { purpose: 'drill' } };
    const run = await drill('--env', env, '--confirm', env);
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('belongs to the environment prod')]);
    await untouched();
  });

  it.each([
    ['is not named twice', [], /confirm its name/],
    ['is named differently', ['--confirm', 'drill'], /“drill” is not drill-/],
  ])('is refused when it %s', async (_what, more, sentence) => {
    const run = await drill('--env', env, ...more);
    expect([run.code, run.stderr]).toEqual([3, expect.stringMatching(sentence)]);
    await untouched();
  });
});
