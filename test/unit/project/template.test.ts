import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseConfig } from '../../../src/platform/config.ts';
import { routeContracts } from '../../../tools/docs/route-contracts.ts';
import { readTemplate, type Template } from '../../../tools/template/template.ts';

const hasCfnLint = spawnSync('cfn-lint', ['--version']).status === 0;

let template: Template;
beforeAll(async () => {
  template = await readTemplate();
});

const Events = z.record(
  z.string(),
  z.object({
    Type: z.literal('HttpApi'),
    Properties: z.object({
      Path: z.string(),
      Method: z.string(),
      TimeoutInMillis: z.number(),
      Auth: z.object({ Authorizer: z.enum(['NONE', 'Cognito']) }),
    }),
  }),
);
const Statement = z.object({
  Sid: z.string(),
  Effect: z.literal('Allow'),
  Action: z.union([z.string(), z.array(z.string())]),
  Resource: z.unknown(),
});
const Backend = z.object({
  Events,
  Policies: z.array(z.object({ Statement: z.array(Statement) })),
  Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }),
});

const backend = () => Backend.parse(template.Resources['Backend']?.Properties);
const ofType = (type: string) => Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

describe('the template', () => {
  it('has an event for every route of the table, and none besides the default', () => {
    const events = Object.values(backend().Events).map(({ Properties }) => `${Properties.Method} ${Properties.Path}`);
    const routes = routeContracts().map(({ method, path }) => `${method} ${path}`);
    expect(events.sort()).toEqual([...routes, 'ANY $default'].sort());
  });

  it('puts the JWT authorizer on exactly the private routes of users', () => {
    const guards = new Map(
      Object.values(backend().Events).map(({ Properties: p }) => [`${p.Method} ${p.Path}`, p.Auth.Authorizer]),
    );
    for (const { method, path, auth } of routeContracts()) {
      expect(guards.get(`${method} ${path}`), path).toBe(auth === 'cognito' ? 'Cognito' : 'NONE');
    }
    expect(guards.get('ANY $default')).toBe('NONE');
  });

  it('lets the function fail before the gateway does', () => {
    for (const { Properties } of Object.values(backend().Events)) expect(Properties.TimeoutInMillis).toBe(30_000);
    expect(template['Globals']).toMatchObject({
      Function: { Timeout: 29, Runtime: 'nodejs24.x', Architectures: ['arm64'] },
    });
  });

  it('allows no wildcard: neither an action nor a resource', () => {
    const statements = backend().Policies.flatMap(({ Statement: list }) => list);
    expect(statements.length).toBeGreaterThan(5);
    for (const { Sid, Action, Resource } of statements) {
      for (const action of [Action].flat()) expect(action, Sid).toMatch(/^[a-z0-9-]+:[A-Za-z]+$/);
      expect(JSON.stringify(Resource), Sid).not.toMatch(/^"\*"$|"\*"/);
    }
  });

  it('never allows a scan, nor the deletion of a device or a release', () => {
    const actions = backend().Policies.flatMap(({ Statement: list }) =>
      list.map(({ Sid, Action }) => [Sid, [Action].flat()] as const),
    );
    for (const [sid, list] of actions) {
      expect(list).not.toContain('dynamodb:Scan');
      if (sid !== 'Users' && sid !== 'RateLimits') expect(list).not.toContain('dynamodb:DeleteItem');
    }
  });

  it('hands over every variable that the configuration needs', () => {
    const given = Object.keys(backend().Environment.Variables);
    expect(given).toEqual(
      expect.arrayContaining([
        'APP_ENV',
        'ARTIFACT_BUCKET',
        'COGNITO_USER_POOL_ID',
        'COGNITO_CLIENT_IDS',
        'ALLOWED_ORIGINS',
        'CLAIM_PROOF',
        'STRIPE_PRICE_ID',
        'RETURN_URL_ALLOWED_SCHEMES',
        'RETURN_URL_ALLOWED_ORIGINS',
        'APP_BASE_URL',
        'API_BASE_URL',
        'AI_DOCTOR_REQUIRES_PREMIUM',
        'PLANT_ID_REQUIRES_PREMIUM',
      ]),
    );
  });

  it('lets every limit of use be set, with the default of the configuration', () => {
    const given = backend().Environment.Variables;
    const { plants } = parseConfig({
      ...{ APP_ENV: 'x', AWS_REGION: 'eu-central-1', ARTIFACT_BUCKET: 'abc' },
      ...{ COGNITO_USER_POOL_ID: 'eu-central-1_Abc', COGNITO_CLIENT_IDS: 'abc' },
    });
    const features = { aiDoctor: 'AI_DOCTOR', aiDoctorFollowUp: 'AI_DOCTOR_FOLLOW_UP', plantId: 'PLANT_ID' } as const;
    for (const feature of ['aiDoctor', 'aiDoctorFollowUp', 'plantId'] as const) {
      for (const plan of ['free', 'premium'] as const) {
        for (const [period, word] of [
          ['day', 'DAILY'],
          ['month', 'MONTHLY'],
        ] as const) {
          const variable = `${features[feature]}_${word}_LIMIT_${plan.toUpperCase()}`;
          const parameter = z.object({ '!Ref': z.string() }).parse(given[variable])['!Ref'];
          const standard = template.Parameters[parameter]?.['Default'];
          expect(Number(standard), variable).toBe(plants.limits[feature][plan][period]);
        }
      }
    }
  });

  it('keeps the data: on demand, encrypted, recoverable and protected outside dev', () => {
    const tables = ofType('AWS::DynamoDB::Table');
    expect(tables.map(([name]) => name).sort()).toEqual([
      'OtaReleasesTable',
      'ProvisioningTable',
      'RateLimitsTable',
      'UsersTable',
    ]);
    for (const [name, { Properties: properties }] of tables) {
      expect(properties['BillingMode'], name).toBe('PAY_PER_REQUEST');
      expect(properties['SSESpecification'], name).toEqual({ SSEEnabled: true });
      expect(JSON.stringify(properties['PointInTimeRecoverySpecification']), name).toContain('IsKept');
      expect(JSON.stringify(properties['DeletionProtectionEnabled']), name).toContain('IsKept');
    }
  });

  it('keeps the bucket private, encrypted, versioned, and free of abandoned drafts', () => {
    const bucket = template.Resources['ArtifactBucket']?.Properties ?? {};
    expect(bucket['PublicAccessBlockConfiguration']).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    });
    expect(bucket['VersioningConfiguration']).toEqual({ Status: 'Enabled' });
    expect(JSON.stringify(bucket['BucketEncryption'])).toContain('AES256');
    expect(JSON.stringify(bucket['LifecycleConfiguration'])).toContain('drafts/');
    expect(JSON.stringify(bucket['LifecycleConfiguration'])).toContain('uploads/');
    expect(JSON.stringify(template.Resources['ArtifactBucketPolicy'])).toContain('aws:SecureTransport');
  });

  it('sends every alarm to the topic, when it begins and when it ends', () => {
    const alarms = ofType('AWS::CloudWatch::Alarm');
    for (const [name, { Properties: properties }] of alarms) {
      expect([properties['AlarmActions'], properties['OKActions']], name).toEqual([
        [{ '!Ref': 'Alarms' }],
        [{ '!Ref': 'Alarms' }],
      ]);
      expect(properties['TreatMissingData'], name).toEqual(expect.any(String));
    }
    // CloudWatch may not use the key that AWS manages for topics: an alarm would never arrive.
    expect(template.Resources['Alarms']?.Properties).not.toHaveProperty('KmsMasterKeyId');
  });

  it('watches metrics of its own only that the code counts', () => {
    const code = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(path.join('src', name), 'utf8'))
      .join('\n');
    const own = ofType('AWS::CloudWatch::Alarm').flatMap(([, { Properties: properties }]) => {
      const text = JSON.stringify(properties);
      if (!text.includes('AutoWatering')) return [];
      return [...text.matchAll(/"MetricName":"(\w+)"|SELECT \w+\((\w+)\)/g)].map(([, a, b]) => a ?? b ?? '');
    });
    const shown = JSON.stringify(template.Resources['Dashboard']).matchAll(/MetricName=\W+(\w+)/g);
    for (const name of [...own, ...[...shown].map(([, metric = '']) => metric)]) {
      expect(code, name).toMatch(new RegExp(`metrics\\.(count|duration|gauge)\\(\\s*'${name}'`));
    }
    expect(own.length).toBeGreaterThan(6);
  });

  it('lets a new version out by and by, and takes it back by alarms that exist', () => {
    const { AutoPublishAlias: alias, DeploymentPreference: preference } = z
      .object({
        AutoPublishAlias: z.string(),
        DeploymentPreference: z.object({ Type: z.unknown(), Alarms: z.array(z.unknown()) }),
      })
      .parse(template.Resources['Backend']?.Properties);
    expect([alias, preference.Type]).toEqual(['live', { '!If': ['IsKept', 'Canary10Percent5Minutes', 'AllAtOnce'] }]);
    const names = ofType('AWS::CloudWatch::Alarm').map(([, { Properties: properties }]) => properties['AlarmName']);
    for (const alarm of preference.Alarms) expect(names).toContainEqual(alarm);
  });

  it('describes and constrains its parameters', () => {
    for (const [name, parameter] of Object.entries(template.Parameters)) {
      expect(parameter['Description'], name).toEqual(expect.any(String));
      const isConstrained = 'AllowedPattern' in parameter || 'AllowedValues' in parameter;
      expect(isConstrained || name === 'UserPoolClientIds', name).toBe(true);
    }
  });

  it.skipIf(!hasCfnLint)('passes cfn-lint, where that is installed', async () => {
    await promisify(execFile)('cfn-lint', ['template.yaml']);
  });

  it.each(['template.yaml', 'samconfig.toml'])('%s holds no secret and no account id', (file) => {
    const text = readFileSync(file, 'utf8');
    expect(text).not.toMatch(/\b\d{12}\b/);
    expect(text).not.toMatch(/sk_(live|test)_|whsec_|AKIA[A-Z0-9]{8}/);
  });
});
