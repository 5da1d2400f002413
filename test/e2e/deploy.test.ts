import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRelayFunction } from '../../src/relay-function.ts';
import { wayBack } from '../../tools/operations/deploy/way-back.ts';
import { secretValues } from '../../tools/run/local-stack/engines.ts';
import { startSecrets } from '../../tools/run/local-stack/secrets/secrets-stand-in.ts';
import { type StandIn, startStandIn } from '../../tools/run/local-stack/stand-in-server.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { runTool, type ToolRun } from '../support/run-tool.ts';

/*
 * The real command with template checks, the secret, DynamoDB for migrations, and a backend for the smoke test.
 * SAM, CloudFormation and Lambda's aliases are simulated.
 */

let backend: Backend;
let aws: StandIn;
let folder: string;
let samLog: string;
/** The version that `live` points to; undefined before the first deployment. */
let live: string | undefined;
/** The stack's parameters at its last deployment. */
let deployedWith: Readonly<Record<string, string>> = {};
let environment: string;
beforeAll(async () => {
  backend = await startBackend({}, { isOpenToTools: true, relay: createRelayFunction });
  environment = backend.environment;
  folder = await mkdtemp(path.join(tmpdir(), 'deploy-'));
  samLog = path.join(folder, 'sam.log');
  const sam = path.join(folder, 'sam');
  await writeFile(
    sam,
    `#!/bin/sh\nif [ "$1" = validate ]; then exit 0; fi\necho "$@" >> ${samLog}\nif [ "$1" = "$SAM_FAILS_AT" ]; then exit 3; fi\n`,
  );
  await chmod(sam, 0o755);
  aws = await startStandIn(async (request, response) => {
    if (request.url?.includes('/aliases/live')) {
      const body = live === undefined ? { Type: 'User' } : { Name: 'live', FunctionVersion: live };
      const headers = live === undefined ? { 'x-amzn-errortype': 'ResourceNotFoundException' } : {};
      response.writeHead(live === undefined ? 404 : 200, { 'Content-Type': 'application/json', ...headers });
      response.end(JSON.stringify(body));
      return;
    }
    const outputs = { ApiBaseUrl: backend.url, RelayUrl: backend.relay.url };
    const output = Object.entries(outputs)
      .map(([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`)
      .join('');
    const parameters = Object.entries(deployedWith).map(
      ([name, value]) =>
        `<member><ParameterKey>${name}</ParameterKey><ParameterValue>${value}</ParameterValue></member>`,
    );
    const stack = `<member><StackName>s</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus><Parameters>${parameters.join('')}</Parameters><Outputs>${output}</Outputs></member>`;
    response.writeHead(200, { 'Content-Type': 'text/xml' });
    response.end(
      `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>${stack}</Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    );
  }, undefined);
});
afterAll(async () => {
  await Promise.all([backend.stop(), aws.stop(), rm(folder, { recursive: true })]);
});
beforeEach(() => writeFile(samLog, ''));

const ACCOUNT = ['--parameter', 'UserPoolId=eu-central-1_AbC123', '--parameter', 'UserPoolClientIds=abc,def'];
const deploy = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runTool('deploy', args, {
    env: {
      // Linters have their own test.
      PATH: folder,
      ...{ AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
      AWS_ENDPOINT_URL_DYNAMODB: backend.dynamo.url,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: backend.secretsManager.url,
      ...{ AWS_ENDPOINT_URL_LAMBDA: aws.url, AWS_ENDPOINT_URL_CLOUDFORMATION: aws.url },
      ...env,
    },
  });
const samCalls = async () => (await readFile(samLog, 'utf8')).trim().split('\n');

describe('a deployment', () => {
  /** Building takes most of a deployment's time, so the tests share three, each with what it had SAM do. */
  interface Deployment extends ToolRun {
    readonly sam: readonly string[];
  }
  let whole: Deployment;
  let untested: Deployment;
  let undeployed: Deployment;
  beforeAll(async () => {
    const deployment = async (more: readonly string[], env: Readonly<Record<string, string>> = {}) => {
      await writeFile(samLog, '');
      // Health results are cached for some seconds.
      backend.clock.forward(6_000);
      return { ...(await deploy(['--env', environment, ...ACCOUNT, ...more], env)), sam: await samCalls() };
    };
    live = '41';
    whole = await deployment(['--parameter', 'ClaimProof=optional']);
    deployedWith = { ClaimProof: 'optional', VersionSha256: 'of the last deployment' };
    backend.s3.setFaults([{ status: 503 }]);
    untested = await deployment([]);
    backend.s3.setFaults([]);
    deployedWith = { ClaimProof: 'required' };
    undeployed = await deployment([], { SAM_FAILS_AT: 'deploy' });
  }, 120_000);
  const versionOf = ({ sam }: Deployment) => / VersionSha256=([0-9a-f]{64})$/.exec(sam.at(-1) ?? '')?.[1];

  it('checks, builds, deploys, migrates and tests, in this order', () => {
    expect([whole.code, whole.stderr]).toEqual([0, '']);
    const [build, deployed] = whole.sam;
    expect(build).toBe('build');
    expect(deployed).toContain(`deploy --stack-name autowatering-${environment} --resolve-s3`);
    expect(deployed).toContain('--no-confirm-changeset');
    expect(deployed).toContain('UserPoolId=eu-central-1_AbC123 UserPoolClientIds=abc,def');
    expect(deployed).toContain(` Environment=${environment}`);
    expect(deployed).toMatch(/ VersionSha256=[0-9a-f]{64}$/);
    const steps = [...whole.stdout.matchAll(/^— (\w+)/gm)].map(([, word]) => word);
    expect(steps).toEqual(['Checking', 'Checking', 'Building', 'Deploying', 'Migrating', 'Testing']);
    expect(whole.stdout).toMatch(/last-activity +applied/);
    expect(whole.stdout).toMatch(/checks passed, 0 failed/);
    for (const name of ['backend', 'relay']) {
      expect(whole.stdout).toContain(`update-alias --function-name autowatering-${name}-`);
    }
    expect(whole.stdout).toContain('✓ the relay refuses a connection without a token');
    expect(whole.stdout).toContain(`is deployed: ${backend.url}, relay ${backend.relay.url}`);
  });

  it('creates a new version when a setting changes, and keeps the version otherwise', () => {
    expect(versionOf(whole)).toBeDefined();
    // SAM keeps the stack's value of a parameter that is not given, so that is what the function gets.
    expect(versionOf(untested)).toBe(versionOf(whole));
    expect([versionOf(undeployed), versionOf(undeployed) === versionOf(whole)]).toEqual([
      expect.stringMatching(/^[0-9a-f]{64}$/),
      false,
    ]);
  });

  it('marks only drill environments as removable', async () => {
    const tagsOf = async (name: string) => {
      const secret = await startSecrets(`autowatering-backend-${name}/secrets`, secretValues(backend.secrets));
      const run = await deploy(['--env', name, ...ACCOUNT, '--dry-run'], {
        AWS_ENDPOINT_URL_SECRETS_MANAGER: secret.url,
      });
      await secret.stop();
      expect([run.code, run.stderr]).toEqual([0, '']);
      return / --tags (\S+) /.exec(run.stdout)?.[1];
    };
    expect([await tagsOf('drill-2026-11'), await tagsOf('staging')]).toEqual(['purpose=drill', undefined]);
  }, 60_000);

  it('whose smoke test fails prints the command to roll back', () => {
    expect(untested.code).toBe(1);
    for (const name of ['backend', 'relay']) {
      expect(untested.stderr).toContain(
        `aws lambda update-alias --function-name autowatering-${name}-${environment} --name live --function-version 41`,
      );
    }
  });

  it('that is the first one says that there is no version to roll back to', () => {
    const settings = { environment: 'dev', stackName: 'autowatering-dev', region: undefined, parameters: {} };
    expect(wayBack(new Error('it failed'), settings, {})).toBe(
      'it failed\nThere is no previous version to roll back to: fix the problem and deploy again.',
    );
  });

  it('stops when SAM fails', () => {
    expect([undeployed.code, undeployed.stderr]).toEqual([
      1,
      expect.stringContaining('“sam deploy” failed with exit code 3'),
    ]);
    expect(undeployed.stdout).not.toContain('— Migrating');
  });

  it('does not start with invalid parameters, and lists all of them at once', async () => {
    const run = await deploy([
      ...['--env', 'prod', '--parameter', 'UserPoolId=nonsense', '--parameter', 'Colour=blue'],
      ...['--parameter', 'AllowedOrigins=*', '--parameter', 'DomainName=api.example.com'],
      ...['--parameter', 'LogRetentionDays=3'],
    ]);
    expect(run.code).toBe(1);
    for (const fault of [
      ...['UserPoolId is malformed', 'UserPoolClientIds is missing', 'Colour is not a parameter'],
      ...[
        'AllowedOrigins can only be * in dev',
        'DomainName also needs CertificateArn',
        'LogRetentionDays must be one of 7, 14',
      ],
    ]) {
      expect(run.stderr).toContain(fault);
    }
    expect(await samCalls()).toEqual(['']);
  });

  it('does not start without a complete secret', async () => {
    const run = await deploy(['--env', 'staging', '--parameter', 'UserPoolId=eu-central-1_A'], {
      DEPLOY_PARAMETERS: 'UserPoolClientIds=abc',
    });
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('FACTORY_PROVISION_TOKEN is missing');
    expect(await samCalls()).toEqual(['']);
  }, 60_000);

  it('is only described with --dry-run', async () => {
    const run = await deploy(['--env', environment, ...ACCOUNT, '--dry-run']);
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.stdout).toContain('Dry run, nothing was changed. Next steps: build, then sam deploy');
    expect(await samCalls()).toEqual(['']);
  }, 60_000);
});
