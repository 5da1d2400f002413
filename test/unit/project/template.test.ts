import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { createObjectLinks } from '../../../src/platform/aws/object-links.ts';
import { parseConfig } from '../../../src/platform/config.ts';
import { grantedRights, removablePrefixes } from '../../../tools/build/template/granted-rights.ts';
import { readTemplate, type Template } from '../../../tools/build/template/template.ts';

let template: Template;
beforeAll(async () => {
  template = await readTemplate();
});

const Backend = z.object({ Environment: z.object({ Variables: z.record(z.string(), z.unknown()) }) });

const backend = () => Backend.parse(template.Resources['Backend']?.Properties);
const ofType = (type: string) => Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);

describe('the template', () => {
  it('times out in the function before the gateway', () => {
    expect(template['Globals']).toMatchObject({
      Function: { Timeout: 29, Runtime: 'nodejs24.x', Architectures: ['arm64'] },
    });
  });

  it('passes every variable that the configuration needs', () => {
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
        'FIRMWARE_LOCK_DAYS',
        'AI_DOCTOR_REQUIRES_PREMIUM',
        'PLANT_ID_REQUIRES_PREMIUM',
      ]),
    );
  });

  it('builds all functions alike, and gives each the variables that the configuration requires', () => {
    const build = (name: string) =>
      z.object({ BuildProperties: z.record(z.string(), z.unknown()) }).parse(template.Resources[name]?.['Metadata'])
        .BuildProperties;
    const { EntryPoints: _one, ...ofBackend } = build('Backend');
    const settings = {
      ...{ APP_ENV: 'prod', AWS_REGION: 'eu-central-1', RELAY_URL: 'wss://x', RELAY_ENDPOINT: 'https://x' },
      ...{
        LINK_BASE_URL: 'https://x',
        MAIL_FROM: 'AutoWatering <a@x.example>',
        WEB_PUSH_CONTACT: 'mailto:a@x.example',
      },
      ...{ MOBILE_PUSH_APPLE: 'arn:aws:sns:eu-central-1:1:app/APNS/x', MOBILE_PUSH_ANDROID: '' },
    };
    for (const name of ['Relay', 'Jobs']) {
      const { EntryPoints: _other, ...ofOther } = build(name);
      expect(ofOther).toEqual(ofBackend);
      const given = Backend.parse(template.Resources[name]?.Properties).Environment.Variables;
      const variables = Object.fromEntries(Object.keys(given).map((variable) => [variable, 'eu-central-1_Abc']));
      expect(() => parseConfig({ ...variables, ...settings })).not.toThrow();
    }
  });

  it('gives the relay no time that its gateway does not have', () => {
    const { Timeout: timeout } = z.object({ Timeout: z.number() }).parse(template.Resources['Relay']?.Properties);
    const { TimeoutInMillis: limit } = z
      .object({ TimeoutInMillis: z.number() })
      .parse(template.Resources['RelayIntegration']?.Properties);
    expect(timeout * 1000).toBeLessThan(limit);
  });

  it('lets each function post to peers of its own API, and do nothing else there', () => {
    for (const name of ['Backend', 'Relay'] as const) {
      const grants = grantedRights(template, name)?.filter(({ actions }) =>
        actions.some((action) => action.startsWith('execute-api')),
      );
      expect(grants).toMatchObject([{ actions: ['execute-api:ManageConnections'] }]);
      expect(grants?.[0]?.resources.join()).toMatch(/RelayApi\}\/relay\/POST.*RelayApi\}\/relay\/DELETE/);
    }
  });

  it("makes every usage limit configurable, with the configuration's default", () => {
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

  it('has alarms only for custom metrics that the code counts', () => {
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
      expect(code, name).toMatch(new RegExp(`(metrics\\.(count|duration|gauge)\\(\\s*|name: )'${name}'`));
    }
    expect(own.length).toBeGreaterThan(6);
  });

  it('sends alarms to a topic that CloudWatch may write to', () => {
    // CloudWatch cannot use the AWS-managed key for topics, so an alarm would never arrive.
    expect(template.Resources['Alarms']?.Properties).not.toHaveProperty('KmsMasterKeyId');
  });

  it('backs up what cannot be recreated, and expires backups', () => {
    const plan = JSON.stringify(template.Resources['BackupPlan']);
    expect(plan).toContain('"RuleName":"daily"');
    expect(plan).toContain('"DeleteAfterDays":{"!Ref":"BackupMonthlyDays"}');
    const selection = JSON.stringify(template.Resources['BackupSelection']);
    for (const name of [
      'UsersTable',
      'ProvisioningTable',
      'OtaReleasesTable',
      'RelayTable',
      'GardenTable',
      'ArtifactBucket',
    ]) {
      expect(selection).toContain(`"${name}.Arn"`);
    }
  });

  it('removes abandoned drafts and photos, and requires TLS', () => {
    const bucket = template.Resources['ArtifactBucket']?.Properties ?? {};
    expect(JSON.stringify(bucket['LifecycleConfiguration'])).toContain('drafts/');
    expect(JSON.stringify(bucket['LifecycleConfiguration'])).toContain('uploads/');
    expect(JSON.stringify(template.Resources['ArtifactBucketPolicy'])).toContain('aws:SecureTransport');
  });

  it('lets the function delete states and photos, and nothing else in the bucket', () => {
    expect(removablePrefixes(grantedRights(template, 'Backend') ?? [])).toEqual(['user-state/', 'uploads/']);
  });

  it("lets the app's web view upload a photo with the headers signed into its URL", async () => {
    const rules = template.Resources['ArtifactBucket']?.Properties?.['CorsConfiguration'];
    const links = createObjectLinks('bucket', 'eu-central-1', 'http://127.0.0.1:1', { now: () => 0 });
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'not-a-secret');
    const { headers } = await links.upload('uploads/x', 1, 'a'.repeat(64), 60);
    // The browser sends the photo's type as well.
    const needed = [...Object.keys(headers), 'content-type'];
    const [rule] = z
      .object({
        CorsRules: z.tuple([z.object({ AllowedMethods: z.array(z.string()), AllowedHeaders: z.array(z.string()) })]),
      })
      .parse(rules).CorsRules;
    expect(rule.AllowedMethods).toContain('PUT');
    expect(rule.AllowedHeaders).toEqual(expect.arrayContaining(needed));
    vi.unstubAllEnvs();
  });

  it.each(['Backend', 'Relay'])('releases %s gradually, and rolls it back on existing alarms', (name) => {
    const { AutoPublishAlias: alias, DeploymentPreference: preference } = z
      .object({
        AutoPublishAlias: z.string(),
        DeploymentPreference: z.object({ Type: z.unknown(), Alarms: z.array(z.unknown()) }),
      })
      .parse(template.Resources[name]?.Properties);
    expect([alias, preference.Type]).toEqual(['live', { '!If': ['IsKept', 'Canary10Percent5Minutes', 'AllAtOnce'] }]);
    const names = ofType('AWS::CloudWatch::Alarm').map(([, { Properties: properties }]) => properties['AlarmName']);
    for (const alarm of preference.Alarms) expect(names).toContainEqual(alarm);
  });

  it.each(['samconfig.toml'])('%s contains no secret and no account id', (file) => {
    const text = readFileSync(file, 'utf8');
    expect(text).not.toMatch(/\b\d{12}\b/);
    expect(text).not.toMatch(/sk_(live|test)_|whsec_|AKIA[A-Z0-9]{8}/);
  });
});
