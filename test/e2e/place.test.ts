import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type SecretsStandIn, startSecrets } from '../../tools/run/local-stack/secrets/secrets-stand-in.ts';
import { type StandIn, startStandIn } from '../../tools/run/local-stack/stand-in-server.ts';
import { type Backend, startBackend } from '../support/backend.ts';
import { runTool, startTool } from '../support/run-tool.ts';

/*
 * A command never touches another system than the intended one. CloudFormation and Secrets Manager are simulated; the
 * API behind them is real.
 */

let backend: Backend;
let cloudFormation: StandIn;
let prodSecret: SecretsStandIn;
/** An AWS that refuses every call and records the regions it was called in. */
let refusing: StandIn;
const askedRegions: string[] = [];
const REFUSAL = 'ExpiredTokenException';
beforeAll(async () => {
  backend = await startBackend({}, { isOpenToTools: true });
  cloudFormation = await startStandIn(async (_request, response) => {
    const output = (name: string, value: string) =>
      `<member><OutputKey>${name}</OutputKey><OutputValue>${value}</OutputValue></member>`;
    const stack =
      '<member><StackName>s</StackName><StackId>arn:aws:cloudformation:eu-central-1:123456789012:stack/s/1</StackId>' +
      '<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>' +
      `<Outputs>${output('ApiBaseUrl', backend.url)}${output('ArtifactBucketName', 'the-bucket')}</Outputs></member>`;
    response.writeHead(200, { 'Content-Type': 'text/xml' });
    response.end(
      `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>${stack}</Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    );
  }, undefined);
  prodSecret = await startSecrets('autowatering-backend-prod/secrets', {
    OTA_ADMIN_TOKEN: [backend.secrets.adminToken, 'the-former-admin-token'],
    FACTORY_PROVISION_TOKEN: backend.secrets.factoryToken,
  });
  refusing = await startStandIn(async (request, response) => {
    askedRegions.push(/Credential=[^/]+\/\d+\/([^/]+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'none');
    const isXml = request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    response.writeHead(400, isXml ? { 'Content-Type': 'text/xml' } : { 'x-amzn-errortype': REFUSAL });
    response.end(
      isXml
        ? `<ErrorResponse><Error><Code>${REFUSAL}</Code><Message>no</Message></Error></ErrorResponse>`
        : JSON.stringify({ __type: REFUSAL, message: 'no' }),
    );
  }, undefined);
});
afterAll(async () => {
  await Promise.all([backend.stop(), cloudFormation.stop(), prodSecret.stop(), refusing.stop()]);
});
beforeEach(() => {
  askedRegions.length = 0;
});

const KEYS = { AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
const prod = () => ({
  ...KEYS,
  AWS_ENDPOINT_URL_CLOUDFORMATION: cloudFormation.url,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: prodSecret.url,
});

const READING: readonly (readonly [tool: string, args: readonly string[]])[] = [
  ['ota', ['list']],
  ['ota:keys', ['list']],
  ['fleet', ['summary']],
  ['webhooks', ['list']],
  ['smoke', []],
  ['migrate', ['status']],
  ['retention', ['--dry-run']],
  ['backup', ['verify', '/nowhere']],
  ['logs', ['errors']],
];
const CHANGING: readonly (readonly [tool: string, args: readonly string[]])[] = [
  ['ota', ['pause', '1.0.0']],
  ['ota:deploy', ['--artifact-path', 'README.md']],
  ['factory:provision', ['--hw-id', 'AABBCCDD01']],
  ['migrate', ['up']],
];

describe('away from a terminal', () => {
  it.each([...READING, ...CHANGING])('%s %j has no default and says what to pass', async (tool, args) => {
    const run = await runTool(tool, args);
    expect([run.code, run.stdout, run.place]).toEqual([2, '', '']);
    expect(run.stderr).toMatch(/^Error: Which system\?.*--env <name>.*--local/);
  });

  it('two systems are refused', async () => {
    const run = await runTool('logs', ['errors', '--env', 'prod', '--local']);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('--env and --local name different systems')]);
  });
});

describe('with --env', () => {
  it('a command finds the API and its token, and names the system on standard error only', async () => {
    const run = await runTool('ota', ['list', '--env', 'prod', '--json'], { env: prod() });
    expect([run.code, run.stderr]).toEqual([0, '']);
    expect(run.place).toMatch(/^Talking to PRODUCTION \(prod\) at http:\S+ \(AWS account 123456789012, region eu-/);
    expect(run.place).toContain(backend.url);
    expect(run.place).not.toContain('CHANGES');
    for (const line of run.stdout.split('\n').filter((one) => one !== '')) JSON.parse(line);
  });

  it("the environment's own token is used, not one from a variable", async () => {
    const env = { ...prod(), OTA_ADMIN_TOKEN: 'a-token-of-staging-000', API_BASE_URL: 'https://staging.example.com' };
    const run = await runTool('ota', ['list', '--env', 'prod', '--json'], { env });
    expect([run.code, run.stderr]).toEqual([0, '']);
    const factory = await runTool('fleet', ['summary', '--env', 'prod', '--json'], { env });
    expect(JSON.parse(factory.stdout)).toHaveProperty('devices');
  });

  it('a change to prod is announced and made', async () => {
    const run = await runTool('factory:provision', ['--hw-id', 'B3B3B3B3B301', '--env', 'prod', '--json'], {
      env: prod(),
    });
    expect([run.code, run.place]).toEqual([0, expect.stringMatching(/PRODUCTION.*this CHANGES it$/)]);
    expect(JSON.parse(run.stdout)).toMatchObject({ hw_id: 'B3B3B3B3B301', created: true });
  });

  it('a secret without the token is reported with the command to fix it', async () => {
    const env = { ...prod(), AWS_ENDPOINT_URL_SECRETS_MANAGER: prodSecret.url, AWS_REGION: 'eu-central-1' };
    const run = await runTool('ota', ['list', '--env', 'drill'], { env });
    expect([run.code, run.stderr]).toEqual([1, expect.stringMatching(/has no OTA_ADMIN_TOKEN.*secrets:bootstrap/)]);
  });
});

describe('with API_BASE_URL', () => {
  it('a command uses that address with the token from its variable, and says so', async () => {
    const env = { API_BASE_URL: backend.url, OTA_ADMIN_TOKEN: backend.secrets.adminToken };
    const run = await runTool('ota', ['list', '--json'], { env });
    expect([run.code, run.place]).toEqual([0, `Talking to ${backend.url} (from API_BASE_URL)`]);
    const elsewhere = await runTool('ota', ['list'], { env: { API_BASE_URL: backend.url } });
    expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringContaining('A token is required')]);
  });
});

const IN_AWS: readonly (readonly [tool: string, args: readonly string[]])[] = [
  ['ota', ['list']],
  ['secrets:bootstrap', ['--check']],
  ['migrate', ['status']],
  ['retention', ['--dry-run']],
  ['logs', ['errors']],
];

describe('region and profile', () => {
  const parameters = ['--parameter', 'UserPoolId=eu-central-1_A', '--parameter', 'UserPoolClientIds=a', '--dry-run'];
  const at = () => ({ ...KEYS, AWS_ENDPOINT_URL: refusing.url, AWS_REGION: 'us-east-1' });

  it.each([...IN_AWS, ['deploy', parameters] as const])(
    'are the same for %s %j',
    async (tool, args) => {
      // Without the linters of this machine, which take seconds.
      const run = await runTool(tool, [...args, '--env', 'staging'], { env: { ...at(), PATH: '/nowhere' } });
      expect(run.code).toBe(1);
      expect(new Set(askedRegions)).toEqual(new Set(['eu-central-1']));
    },
    30_000,
  );

  it('are printed with their origin, including a shell configured for another region', async () => {
    const { place } = await runTool('migrate', ['status', '--env', 'staging'], { env: at() });
    expect(place).toBe(
      'Talking to staging in AWS (region eu-central-1 from samconfig.toml, overriding AWS_REGION=us-east-1, keys from AWS_ACCESS_KEY_ID)',
    );
    const other = await runTool('migrate', ['status', '--env', 'drill', '--profile', 'ops'], { env: at() });
    expect(other.place).toBe('Talking to drill in AWS (region us-east-1 from AWS_REGION, profile ops from --profile)');
    await runTool('secrets:bootstrap', ['--check', '--env', 'staging', '--region', 'eu-west-1'], { env: at() });
    expect(askedRegions.at(-1)).toBe('eu-west-1');
    const none = await runTool('migrate', ['status', '--env', 'drill'], { env: { HOME: '/nowhere' } });
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('No AWS region: pass --region')]);
  });
});

describe('the message is a single sentence', () => {
  const sentence = /^Error: [^\n]+\n$/;

  it.each(IN_AWS)(
    'for %s %j with expired credentials or an unreachable host',
    async (tool, args) => {
      const env = { ...KEYS, AWS_ENDPOINT_URL: refusing.url };
      const expired = await runTool(tool, [...args, '--env', 'staging'], { env });
      expect([expired.code, expired.stderr]).toEqual([
        1,
        `Error: AWS rejected the credentials (${REFUSAL}): sign in again.\n`,
      ]);
      const away = { ...KEYS, AWS_ENDPOINT_URL: 'http://127.0.0.1:9', AWS_MAX_ATTEMPTS: '1' };
      const nobody = await runTool(tool, [...args, '--env', 'staging'], { env: away });
      expect([nobody.code, nobody.stderr]).toEqual([1, expect.stringMatching(sentence)]);
      expect(nobody.stderr).toContain("127.0.0.1:9 can't be reached: connection refused");
    },
    30_000,
  );

  it('for a missing table', async () => {
    const run = await runTool('migrate', ['status', '--env', 'not-there', '--dynamodb-url', backend.dynamo.url]);
    expect([run.code, run.stderr]).toEqual([1, expect.stringMatching(/does not exist\. Is the environment deployed/)]);
    expect(run.stderr).toMatch(sentence);
  });

  it('for a missing file', async () => {
    const run = await runTool('deploy', ['--env', 'dev', '--region', 'eu-central-1', '--config', '/no/such.toml'], {
      env: KEYS,
    });
    expect([run.code, run.stderr]).toEqual([1, 'Error: /no/such.toml does not exist.\n']);
  });

  it('and is omitted when the output is closed, as by "| head"', async () => {
    const args = ['list', '--api-base-url', backend.url, '--token', backend.secrets.adminToken];
    const listing = startTool('webhooks', args);
    listing.child.stdout?.destroy();
    const { code, stderr } = await listing.ended;
    expect([code, stderr]).toEqual([0, '']);
  });
});
