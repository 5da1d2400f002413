import { describe, expect, it } from 'vitest';
import { createSecrets, missingSecrets, reportMissing, SecretsError } from '../../../src/platform/aws/secrets.ts';
import { movableClock, recordingLog, recordingMetrics } from '../../support/recorders.ts';

describe('secrets', () => {
  it('are read once for many callers, and again after the cache time', async () => {
    const clock = movableClock();
    let reads = 0;
    const secrets = createSecrets(
      async () => {
        reads += 1;
        return { text: '{"RATE_LIMIT_SALT":"a-salt-of-good-length"}', writtenAt: undefined };
      },
      300_000,
      clock,
      recordingMetrics(),
    );
    await Promise.all([secrets.values(), secrets.values(), secrets.values()]);
    expect(reads).toBe(1);
    clock.forward(300_001);
    await secrets.values();
    expect(reads).toBe(2);
  });

  it('are never quoted in an error, even if malformed', async () => {
    for (const text of ['{"OTA_ADMIN_TOKEN":"short"}', 'hunter2-is-not-json', '[]']) {
      const error: unknown = await createSecrets(
        async () => ({ text, writtenAt: undefined }),
        1_000,
        movableClock(),
        recordingMetrics(),
      )
        .values()
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SecretsError);
      expect(String(error)).not.toMatch(/hunter2|short"/);
    }
  });

  it('are read again after a failed read', async () => {
    let reads = 0;
    const secrets = createSecrets(
      async () => {
        reads += 1;
        if (reads === 1) throw new Error('throttled');
        return { text: '{}', writtenAt: undefined };
      },
      300_000,
      movableClock(),
      recordingMetrics(),
    );
    await expect(secrets.values()).rejects.toThrow('throttled');
    await expect(secrets.values()).resolves.toEqual({});
  });

  it('report their age in days on each read', async () => {
    const clock = movableClock();
    const metrics = recordingMetrics();
    const writtenAt = clock.now();
    const secrets = createSecrets(async () => ({ text: '{}', writtenAt }), 300_000, clock, metrics);
    await secrets.values();
    await secrets.values();
    clock.forward(90.5 * 24 * 60 * 60 * 1000);
    await secrets.values();
    expect(metrics.gauged).toEqual(['SecretAgeDays 0', 'SecretAgeDays 90']);
  });

  it('report all missing entries with the first read, by name only', async () => {
    const log = recordingLog();
    const billing = { priceId: 'price_1', returnSchemes: [], returnOrigins: [] };
    const notifications = { mailFrom: 'a@example.com', extraPushOrigins: [], mobileApplications: {} };
    const text = JSON.stringify({ OTA_ADMIN_TOKEN: 'a-token-of-good-length', KINDWISE_API_KEY: 'key-of-kindwise' });
    const secrets = createSecrets(
      ...([async () => ({ text, writtenAt: undefined }), 0, movableClock(), recordingMetrics()] as const),
      reportMissing({ billing, notifications }, log),
    );
    await secrets.values();
    await secrets.values();
    expect(log.lines).toHaveLength(1);
    const missing =
      'FACTORY_PROVISION_TOKEN, RATE_LIMIT_SALT, CLAIM_CODE_KEY, OTA_SIGNING_KEY, RELAY_IDENTITY_KEY, RELAY_WRAP_KEY, PLANTNET_API_KEY, STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, UNSUBSCRIBE_KEY';
    expect(log.lines[0]).toMatchObject({ level: 'error', fields: { missing } });
    const lean = {
      billing: { returnSchemes: [], returnOrigins: [] },
      notifications: { extraPushOrigins: [], mobileApplications: {} },
    };
    expect(missingSecrets({}, lean)).not.toContain('STRIPE_SECRET_KEY');
  });
});
