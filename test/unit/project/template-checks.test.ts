import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { headingAnchors } from '../../../tools/build/template/heading-anchors.ts';
import { parseTemplate } from '../../../tools/build/template/template.ts';
import { TEMPLATE_CHECKS } from '../../../tools/build/template/template-checks.ts';
import { listedRoutes } from '../../../tools/cli/target/route-list.ts';
import { runTool } from '../../support/run-tool.ts';

const good = readFileSync('template.yaml', 'utf8');
const runbookAnchors = headingAnchors(readFileSync('RUNBOOK.md', 'utf8'));

async function faultsOf(text: string): Promise<readonly string[]> {
  const facts = { text, runbookAnchors, routes: await listedRoutes() };
  const template = parseTemplate(text);
  return TEMPLATE_CHECKS.flatMap(({ faults }) => faults(template, facts));
}

/** The template with one fault in it. */
function spoiled(from: string | RegExp, to: string): string {
  const text = good.replace(from, to);
  expect(text, 'the mistake has to be one').not.toBe(good);
  return text;
}

describe('the template checks', () => {
  it('find no fault in our template', async () => {
    expect(await faultsOf(good)).toEqual([]);
  });

  it.each<readonly [string, string | RegExp, string, RegExp]>([
    ['a route without an event', 'Path: /claimDevice\n', 'Path: /claimDevices\n', /POST \/claimDevice has no event/],
    ['an event without a route', 'Path: /claimDevice\n', 'Path: /claimDevices\n', /claimDevices is not a route/],
    [
      'a private route without its guard',
      /(Path: \/getProfile[\s\S]*?)Authorizer: Cognito/,
      '$1Authorizer: NONE',
      /GET \/getProfile needs the authorizer Cognito/,
    ],
    [
      'a public route that requires a token',
      /(Path: \/health\n[\s\S]*?)Authorizer: NONE/,
      '$1Authorizer: Cognito',
      /GET \/health needs the authorizer NONE/,
    ],
    [
      'a throttle that differs from the route table',
      /(Path: \/plantId\n[\s\S]*?)ThrottlingRateLimit: 20/,
      '$1ThrottlingRateLimit: 2000',
      /POST \/plantId needs RouteSettings: \{ ThrottlingRateLimit: 20,/,
    ],
    ['no catch-all', 'Path: $default', 'Path: /default', /unknown paths would get the gateway's own response/],
    ['no route for preflights', 'Path: /{proxy+}', 'Path: /preflights', /preflights would share the throttle/],
    [
      'a catch-all with a higher throttle than the strictest route',
      '$default: { ThrottlingRateLimit: 5,',
      '$default: { ThrottlingRateLimit: 100,',
      /\$default: \{ ThrottlingRateLimit: 5, ThrottlingBurstLimit: 10 \}/,
    ],
    ['an alarm without a section', '#alarm-latency', '#alarm-slowness', /LatencyAlarm does not link to a section/],
    [
      'an alarm without a notification',
      'AlarmActions: [!Ref Alarms]',
      'AlarmActions: []',
      /notifies nobody when it starts/,
    ],
    [
      'an alarm without a notification of its end',
      'OKActions: [!Ref Alarms]',
      'OKActions: []',
      /notifies nobody when it ends/,
    ],
    ['an alarm without a rule for missing data', /TreatMissingData: \w+/, '{}', /how to treat missing data/],
    ['a wildcard action', '- dynamodb:PutItem', "- 'dynamodb:*'", /Users allows dynamodb:\*/],
    [
      'a permission on everything',
      /(Sid: UserPool[\s\S]*?Resource: )!Sub.*/,
      '$1"*"',
      /UserPool allows it on everything/,
    ],
    [
      'a conditional permission on everything',
      'Resource: !Ref KmsKeyArn',
      'Resource: "*"',
      /Key allows it on everything/,
    ],
    [
      'a permission on every table',
      /Resource: !GetAtt UsersTable.Arn/,
      'Resource: !Sub "arn:aws:dynamodb:eu-central-1:x:table/*"',
      /Users allows it on everything/,
    ],
    [
      'a managed policy',
      'HasTracingPolicy, !Ref TracingPolicyArn',
      'HasTracingPolicy, arn:aws:iam::aws:policy/AdministratorAccess',
      /something other than statements/,
    ],
    ['a route without a time limit', 'TimeoutInMillis: 30000', 'Timeout: 30000', /events are not as required/],
    [
      'a right to post to every API of the account',
      /:\$\{RelayApi\}\/relay\/POST\/@connections/,
      ':*/relay/POST/@connections',
      /RelayConnections allows it on everything/,
    ],
    ['a scan', '- dynamodb:PutItem', '- dynamodb:Scan', /Users allows a scan/],
    [
      'the deletion of devices',
      'dynamodb:BatchGetItem, dynamodb:Query',
      'dynamodb:DeleteItem',
      /Provisioning allows the/,
    ],
    [
      'the deletion of firmware',
      '[s3:GetObject, s3:PutObject]',
      '[s3:GetObject, s3:PutObject, s3:DeleteObject]',
      /can delete every object/,
    ],
    [
      'the deletion of versions',
      'Action: s3:DeleteObject',
      'Action: [s3:DeleteObject, s3:DeleteObjectVersion]',
      /versions/,
    ],
    ['markers that stay', 'ExpiredObjectDeleteMarker: true', 'Tags: []', /delete markers under user-state\/ are kept/],
    [
      'versions that stay',
      /(Prefix: uploads\/\n.*\n).*NoncurrentVersionExpiration.*/,
      '$1',
      /versions under uploads\/ are kept forever/,
    ],
    ['a table deleted with its stack', /DeletionPolicy: RetainExceptOnCreate\n {4}/, '', /UsersTable is deleted with/],
    [
      'a table without point-in-time recovery',
      /PointInTimeRecoveryEnabled: .*/,
      'PointInTimeRecoveryEnabled: false }',
      /UsersTable: Point/,
    ],
    ['a public bucket', 'BlockPublicPolicy: true', 'BlockPublicPolicy: false', /PublicAccessBlock/],
    [
      'a bucket without versioning',
      'VersioningConfiguration: { Status: Enabled }',
      'Tags: []',
      /VersioningConfiguration/,
    ],
    ['lines that are kept for ever', /RetentionInDays: .*/, 'Tags: []', /AccessLog keeps its logs forever/],
    [
      'a parameter without constraints',
      /AllowedPattern: "\^\[a-z\]\[a-z0-9-\]\{1,15\}\$"/,
      'MinLength: 2',
      /Environment accepts/,
    ],
    ['a secret', 'OTEL_SERVICE_NAME:', 'KEY: sk_live_abcdefgh\n          OTEL_SERVICE_NAME:', /like a secret/],
    ['an account id', 'OTEL_SERVICE_NAME:', "KEY: '123456789012'\n          OTEL_SERVICE_NAME:", /an account id/],
  ])('find %s', async (_what, from, to, fault) => {
    const text = spoiled(from, to === '{}' ? 'Tags: []' : to);
    expect((await faultsOf(text)).join('\n')).toMatch(fault);
  });

  it('run as a command, with the linters of this machine', async () => {
    const { code, stdout } = await runTool('template:check', ['--json']);
    const { checks } = JSON.parse(stdout);
    expect([code, checks.filter(({ outcome }: { outcome: string }) => outcome === 'bad')]).toEqual([0, []]);
    expect(checks.length).toBe(TEMPLATE_CHECKS.length + 2);
    // cfn-lint alone takes seconds, and many more on a busy machine.
  }, 120_000);

  it('make the command fail and say where', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'template-'));
    const file = path.join(directory, 'template.yaml');
    await writeFile(file, spoiled('Path: /claimDevice\n', 'Path: /claimDevices\n'));
    // The linters take seconds and have been checked above.
    const run = await runTool('template:check', ['--template', file], { env: { PATH: '/nowhere' } });
    expect([run.code, run.stdout]).toEqual([1, expect.stringContaining('    POST /claimDevice has no event')]);
    expect(run.stderr).toContain('every route has its event, guard and throttle');
    await rm(directory, { recursive: true });
  });
});
