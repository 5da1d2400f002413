import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { isoTime, ttlSeconds } from '../../../src/platform/clock.ts';
import { decodeCursor, encodeCursor } from '../../../src/platform/cursor.ts';
import { createLog, logWith } from '../../../src/platform/log.ts';
import { createMetrics } from '../../../src/platform/metrics.ts';
import { once } from '../../../src/platform/once.ts';
import { retry } from '../../../src/platform/retry.ts';
import { createSecrets, SecretsError } from '../../../src/platform/secrets.ts';
import { TimeLimitError, withTimeLimit } from '../../../src/platform/time-limit.ts';
import { movableClock, recordingLog } from '../../support/recorders.ts';

/** What is written to the two outputs of the process meanwhile, line by line as JSON. */
function linesWritten(work: () => void) {
  const written: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      written.push(String(chunk));
      return true;
    }),
  );
  work();
  for (const spy of spies) spy.mockRestore();
  return written.map((line) => JSON.parse(line));
}

describe('a cursor', () => {
  it('gives back the sort key it was made of', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 100 }), (key) => decodeCursor(encodeCursor(key)) === key),
    );
  });

  it('is nothing for anything else', () => {
    fc.assert(fc.property(fc.string(), (text) => decodeCursor(text) === undefined));
    expect(decodeCursor(Buffer.from('[2,"x"]').toString('base64url'))).toBeUndefined();
  });
});

describe('times', () => {
  it('expire in whole seconds, never early', () => {
    expect(ttlSeconds(1_500)).toBe(2);
    expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
  });
});

describe('once', () => {
  it('runs one time for many callers, and again after a failure', async () => {
    let runs = 0;
    const get = once(async () => {
      runs += 1;
      if (runs === 1) throw new Error('not yet');
      return runs;
    });
    await expect(get()).rejects.toThrow('not yet');
    expect(await Promise.all([get(), get(), get()])).toEqual([2, 2, 2]);
  });
});

describe('retry', () => {
  const policy = { attempts: 3, baseMs: 1 };
  const chance = { fraction: () => 0 };

  it('tries again while the failure may pass, and gives up after the last attempt', async () => {
    let runs = 0;
    const work = async () => {
      runs += 1;
      throw new Error(`run ${runs}`);
    };
    await expect(retry(policy, chance, () => true, work)).rejects.toThrow('run 3');
    await expect(retry(policy, chance, () => false, work)).rejects.toThrow('run 4');
  });
});

describe('a time limit', () => {
  it('ends what takes too long, and tells it so', async () => {
    let aborted = false;
    const endless = (signal: AbortSignal) =>
      new Promise<never>(() => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
      });
    await expect(withTimeLimit(5, endless)).rejects.toBeInstanceOf(TimeLimitError);
    expect(aborted).toBe(true);
  });

  it('gives the result, or the failure, of what is quick', async () => {
    await expect(withTimeLimit(1_000, async () => 'done')).resolves.toBe('done');
    await expect(withTimeLimit(1_000, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  });
});

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

describe('the log', () => {
  it('writes one JSON line with the bound fields, and the error with its stack', () => {
    const written = linesWritten(() => {
      const log = logWith(createLog(), { requestId: 'r-1' });
      log.info('request', { statusCode: 200 });
      log.error('it broke', {}, new Error('why'));
      log.warn('it limps', {}, 'a string');
    });
    const [info, error, warning] = written;
    expect(warning).toMatchObject({ level: 'WARN', error: { message: 'a string' } });
    expect(info).toMatchObject({ level: 'INFO', message: 'request', requestId: 'r-1', statusCode: 200 });
    expect(error).toMatchObject({ level: 'ERROR', requestId: 'r-1', error: { message: 'why' } });
  });

  it('binds fields on every level', () => {
    const recorded = recordingLog();
    const log = logWith(recorded, { requestId: 'r-2' });
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.error('e');
    expect(recorded.lines.map(({ level, fields }) => [level, fields['requestId']])).toEqual([
      ['debug', 'r-2'],
      ['info', 'r-2'],
      ['warn', 'r-2'],
      ['error', 'r-2'],
    ]);
  });
});

describe('metrics', () => {
  it('are lines of the embedded metric format, each with its own dimensions', () => {
    delete process.env['POWERTOOLS_METRICS_DISABLED'];
    const [requests, latency] = linesWritten(() => {
      const metrics = createMetrics('test');
      metrics.count('Requests', { route: 'GET /health', status: '2xx' });
      metrics.duration('Latency', 12.5, { route: 'GET /health' });
    });
    expect(requests).toMatchObject({ Requests: 1, route: 'GET /health', status: '2xx' });
    expect(latency).toMatchObject({ Latency: 12.5, route: 'GET /health' });
    expect(latency.status).toBeUndefined();
    expect(latency._aws.CloudWatchMetrics[0].Namespace).toBe('AutoWatering');
  });
});
