import { describe, expect, it } from 'vitest';
import { createSecrets, SecretsError } from '../../../src/platform/secrets.ts';
import { movableClock } from '../../support/recorders.ts';

describe('secrets', () => {
  it('are read once for many callers, and again after the cache time', async () => {
    const clock = movableClock();
    let reads = 0;
    const secrets = createSecrets(
      async () => {
        reads += 1;
        return '{"RATE_LIMIT_SALT":"a-salt-of-good-length"}';
      },
      300_000,
      clock,
    );
    await Promise.all([secrets.values(), secrets.values(), secrets.values()]);
    expect(reads).toBe(1);
    clock.forward(300_001);
    await secrets.values();
    expect(reads).toBe(2);
  });

  it('never quote the secret when it is malformed', async () => {
    for (const text of ['{"OTA_ADMIN_TOKEN":"short"}', 'hunter2-is-not-json', '[]']) {
      const error: unknown = await createSecrets(async () => text, 1_000, movableClock())
        .values()
        .catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SecretsError);
      expect(String(error)).not.toMatch(/hunter2|short"/);
    }
  });

  it('are asked for again after a failed read', async () => {
    let reads = 0;
    const secrets = createSecrets(
      async () => {
        reads += 1;
        if (reads === 1) throw new Error('throttled');
        return '{}';
      },
      300_000,
      movableClock(),
    );
    await expect(secrets.values()).rejects.toThrow('throttled');
    await expect(secrets.values()).resolves.toEqual({});
  });
});
