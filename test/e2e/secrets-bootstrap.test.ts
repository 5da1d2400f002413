import { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SecretsStandIn, startSecrets } from '../../tools/run/local-stack/secrets/secrets-stand-in.ts';
import { startBackend } from '../support/backend.ts';
import { runTool } from '../support/run-tool.ts';
import { newUser } from '../support/tokens.ts';

let place: SecretsStandIn;
beforeAll(async () => {
  place = await startSecrets('autowatering-backend-kept/secrets', {});
});
afterAll(() => place.stop());

const GIVEN = {
  STRIPE_SECRET_KEY: 'sk_test_51AbCdEfGhIjKl',
  STRIPE_WEBHOOK_SECRET: 'whsec_aBcDeFgHiJkL',
  KINDWISE_API_KEY: 'kindwise-key-0123456789',
  PLANTNET_API_KEY: 'plantnet-key-0123456789',
} as const;
const caller = () => ({
  ...{ AWS_ENDPOINT_URL_SECRETS_MANAGER: place.url, AWS_REGION: 'eu-central-1' },
  ...{ AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' },
});
const bootstrap = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runTool('secrets:bootstrap', args, { env: { ...caller(), ...env } });

/** Created once for all rejected rotations. */
let refusing: ReturnType<typeof bootstrap> | undefined;

/** The secret's content, as only someone allowed to read it sees it. */
async function content(environment: string): Promise<Record<string, string | string[]>> {
  const reader = new SecretsManager({
    ...{ endpoint: place.url, region: 'eu-central-1' },
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const { SecretString: text = '' } = await reader.getSecretValue({
    SecretId: `autowatering-backend-${environment}/secrets`,
  });
  return JSON.parse(text);
}

describe("an environment's secret", () => {
  it('is created with generated tokens and given keys, and none of them is printed', async () => {
    const run = await bootstrap(['--env', 'first'], GIVEN);
    expect([run.code, run.stderr]).toEqual([0, '']);
    const made = await content('first');
    expect(made).toMatchObject(GIVEN);
    for (const name of ['FACTORY_PROVISION_TOKEN', 'OTA_ADMIN_TOKEN', 'RATE_LIMIT_SALT']) {
      expect(String(made[name]).length, name).toBeGreaterThan(40);
    }
    expect(new Set(Object.values(made)).size).toBe(13);
    for (const value of Object.values(made).flat()) expect(run.stdout).not.toContain(value);
    expect((await bootstrap(['--env', 'first', '--check'])).stdout).toContain('is complete');
  });

  it('works with the backend, which accepts its tokens', async () => {
    await bootstrap(['--env', 'started'], GIVEN);
    const made = await content('started');
    const backend = await startBackend();
    backend.secretsManager.setValues({ ...made, STRIPE_SECRET_KEY: backend.secrets.stripeSecretKey });
    backend.clock.forward(6 * 60 * 1000);
    expect((await backend.call('/health/deep')).body).toMatchObject({ ok: true });
    expect((await backend.call('/health/stripe')).body).toMatchObject({ ok: true });
    const headers = { 'x-factory-token': String(made['FACTORY_PROVISION_TOKEN']) };
    expect((await backend.call('/provision', { headers, body: { hw_id: '5EC2E7000001' } })).status).toBe(201);
    const latest = await backend.call('/ota/latest?current_version=1.0.0', { headers: newUser().headers });
    expect(latest.body.signed.signatures).toHaveLength(1);
    await backend.stop();
  });

  it('stays unchanged on a second run, except for missing entries', async () => {
    const { STRIPE_SECRET_KEY, ...others } = GIVEN;
    const first = JSON.parse((await bootstrap(['--env', 'again', '--json'], others)).stdout);
    expect(first.missing).toEqual(['STRIPE_SECRET_KEY']);
    const before = await content('again');
    const check = await bootstrap(['--env', 'again', '--check']);
    expect([check.code, check.stderr]).toEqual([1, expect.stringContaining('STRIPE_SECRET_KEY is missing')]);
    const second = JSON.parse((await bootstrap(['--env', 'again', '--json'], { STRIPE_SECRET_KEY })).stdout);
    expect(second).toMatchObject({ done: { STRIPE_SECRET_KEY: 'added' }, missing: [] });
    expect(await content('again')).toEqual({ ...before, STRIPE_SECRET_KEY });
    expect(JSON.parse((await bootstrap(['--env', 'again', '--json'], GIVEN)).stdout).done).toEqual({});
  });

  it('that someone else changes meanwhile keeps their change, and the run says to try again', async () => {
    await bootstrap(['--env', 'racing'], GIVEN);
    const theirs = { ...(await content('racing')), STRIPE_SECRET_KEY: 'sk_test_51TheirNewKey00' };
    place.overtakeNextWrite(theirs);
    const rotate = ['--env', 'racing', '--rotate', 'FACTORY_PROVISION_TOKEN'];
    const second = await bootstrap(rotate);
    expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('Run this command again')]);
    expect(await content('racing')).toEqual(theirs);
    expect((await bootstrap(rotate)).code).toBe(0);
    expect((await content('racing'))['STRIPE_SECRET_KEY']).toBe(theirs.STRIPE_SECRET_KEY);
  });

  it('keeps the old token valid next to the rotated one until it is retired', async () => {
    await bootstrap(['--env', 'turning'], GIVEN);
    const { FACTORY_PROVISION_TOKEN: old } = await content('turning');
    const rotated = await bootstrap(['--env', 'turning', '--rotate', 'FACTORY_PROVISION_TOKEN']);
    expect(rotated.stdout).toContain('--retire FACTORY_PROVISION_TOKEN');
    const { FACTORY_PROVISION_TOKEN: both } = await content('turning');
    expect(both).toEqual([expect.any(String), old]);
    await bootstrap(['--env', 'turning', '--retire', 'FACTORY_PROVISION_TOKEN']);
    expect((await content('turning'))['FACTORY_PROVISION_TOKEN']).toBe(both?.[0]);
  });

  it.each(['OTA_ADMIN_TOKEN', 'OTA_SIGNING_KEY', 'RELAY_IDENTITY_KEY'])(
    'keeps a value of %s that a second rotation would drop, unless told to by name',
    async (name) => {
      const environment = `twice-${name.split('_')[1]?.toLowerCase()}`;
      await bootstrap(['--env', environment], GIVEN);
      await bootstrap(['--env', environment, '--rotate', name]);
      const before = await content(environment);
      const refused = await bootstrap(['--env', environment, '--rotate', name]);
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/still be in use.*--retire.*--drop/)]);
      expect(await content(environment)).toEqual(before);
      const dropped = await bootstrap(['--env', environment, '--rotate', name, '--drop', name]);
      expect(dropped.code).toBe(0);
      expect((await content(environment))[name]).toEqual([expect.any(String), before[name]?.[0]]);
    },
  );

  it('drops nothing that is not rotated', async () => {
    const run = await bootstrap(['--env', 'kept', '--drop', 'OTA_ADMIN_TOKEN']);
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('needs --rotate')]);
  });

  it.each([
    ['staging', 'sk_live_0123456789', 'is a live key, and this is not prod'],
    ['drill', 'rk_live_0123456789', 'is a live key, and this is not prod'],
    ['prod', 'sk_test_0123456789', 'is a test key, and this is prod'],
  ])('of %s rejects a Stripe key for another environment', async (environment, STRIPE_SECRET_KEY, reason) => {
    const run = await bootstrap(['--env', environment], { ...GIVEN, STRIPE_SECRET_KEY });
    expect([run.code, run.stderr]).toEqual([1, expect.stringContaining(reason)]);
    expect(run.stderr).not.toContain(STRIPE_SECRET_KEY);
    await expect(content(environment)).rejects.toThrow("can't find");
  });

  it('gets a placeholder for the webhook secret, which Stripe issues only once the endpoint exists', async () => {
    const { STRIPE_WEBHOOK_SECRET, ...others } = GIVEN;
    const run = await bootstrap(['--env', 'early'], others);
    expect(run.stdout).toContain('--rotate STRIPE_WEBHOOK_SECRET');
    const check = await bootstrap(['--env', 'early', '--check']);
    expect([check.code, check.stdout]).toEqual([0, expect.stringContaining('STRIPE_WEBHOOK_SECRET is not known yet')]);
    const { STRIPE_WEBHOOK_SECRET: standIn } = await content('early');
    expect(run.stdout).not.toContain(standIn);
    const rotated = await bootstrap(['--env', 'early', '--rotate', 'STRIPE_WEBHOOK_SECRET'], { STRIPE_WEBHOOK_SECRET });
    expect(rotated.stdout).not.toContain('--retire');
    expect((await content('early'))['STRIPE_WEBHOOK_SECRET']).toBe(STRIPE_WEBHOOK_SECRET);
  });

  it('takes a third-party key from the variable', async () => {
    await bootstrap(['--env', 'replaced'], GIVEN);
    const KINDWISE_API_KEY = 'kindwise-key-of-tomorrow';
    const run = await bootstrap(['--env', 'replaced', '--rotate', 'KINDWISE_API_KEY'], { KINDWISE_API_KEY });
    expect(run.stdout + run.stderr).not.toContain(KINDWISE_API_KEY);
    expect((await content('replaced'))['KINDWISE_API_KEY']).toBe(KINDWISE_API_KEY);
  });

  it.each([
    ['the salt', ['--rotate', 'RATE_LIMIT_SALT'], {}, 1, "can't be rotated"],
    ['an entry without a new value', ['--rotate', 'KINDWISE_API_KEY'], {}, 1, 'No new value for KINDWISE_API_KEY'],
    ['an entry to its old value', ['--rotate', 'KINDWISE_API_KEY'], GIVEN, 1, 'the new value is the same'],
    ['an unknown entry', ['--rotate', 'PASSWORD'], {}, 2, 'one of FACTORY_PROVISION_TOKEN'],
    [
      'an entry to a malformed value',
      ['--rotate', 'STRIPE_SECRET_KEY'],
      { STRIPE_SECRET_KEY: 'pk_live_x' },
      1,
      'does not look like',
    ],
  ])('does not rotate %s', async (_what, args, env, code, text) => {
    refusing ??= bootstrap(['--env', 'refusing'], GIVEN);
    await refusing;
    const before = await content('refusing');
    const run = await bootstrap(['--env', 'refusing', ...args], env);
    expect([run.code, run.stderr]).toEqual([code, expect.stringContaining(text)]);
    expect(await content('refusing')).toEqual(before);
  });

  it('reports missing credentials, expired ones and missing permissions clearly', async () => {
    const nobody = {
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_EC2_METADATA_DISABLED: 'true',
      HOME: '/nowhere',
    };
    expect((await bootstrap(['--env', 'kept'], nobody)).stderr).toMatch(/^Error: No valid AWS credentials/);
    for (const [type, sentence] of [
      ['ExpiredTokenException', /^Error: AWS rejected the credentials/],
      ['AccessDeniedException', /^Error: AWS denied access: not yours/],
    ] as const) {
      place.setFaults([{ status: 400, body: JSON.stringify({ __type: type, message: 'not yours' }) }]);
      const run = await bootstrap(['--env', 'kept']);
      expect(run.code).toBe(1);
      expect(run.stderr).toMatch(sentence);
    }
    place.setFaults([]);
  });

  it('is reported with all its faults at once, without its values', async () => {
    place.setValues({
      ...{ STRIPE_SECRET_KEY: 'sk_live_0123456789', OTA_ADMIN_TOKEN: 'short-one', RATE_LIMIT_SALT: ['a', 'b'] },
      ...{ FACTORY_PROVISION_TOKEN: 7 },
    });
    const run = await bootstrap(['--env', 'kept', '--check']);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('STRIPE_SECRET_KEY is a live key, and this is not prod');
    expect(run.stderr).toContain('OTA_ADMIN_TOKEN does not look like one');
    expect(run.stderr).toContain("RATE_LIMIT_SALT can't be a list");
    expect(run.stderr).toContain('FACTORY_PROVISION_TOKEN is neither');
    expect(run.stderr).toContain('KINDWISE_API_KEY is missing');
    expect(run.stderr).not.toMatch(/0123456789|short-one/);
    const mending = await bootstrap(['--env', 'kept'], GIVEN);
    expect([mending.code, mending.stderr]).toEqual([
      1,
      expect.stringContaining('FACTORY_PROVISION_TOKEN is malformed: --rotate'),
    ]);
    expect((await content('kept'))['FACTORY_PROVISION_TOKEN']).toBe(7);
  });
});
