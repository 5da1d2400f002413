import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Backend, startBackend } from '../../support/backend.ts';
import { newUser } from '../../support/tokens.ts';

describe('the DynamoDB capacity of a request', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await startBackend({ LOG_LEVEL: 'DEBUG' });
  });
  afterAll(() => backend.stop());

  it('is logged at debug level, by route: calls and units', async () => {
    const { headers } = newUser();
    const before = backend.dynamo.operations.length;
    await backend.call('/getProfile', { headers });
    const calls = backend.dynamo.operations.length - before;
    await backend.call('/updateProfile', { headers, body: { profile: { displayName: 'Ada' } } });
    const lines = backend.log.lines
      .filter(({ message }) => message === 'consumed capacity')
      .map(({ fields }) => fields);
    const [read, write] = [lines.find(({ route }) => route === 'GET /getProfile'), lines.at(-1)];
    expect(read).toMatchObject({ calls, units: expect.any(Number) });
    expect(Number(read?.['units'])).toBeGreaterThan(0);
    expect(write).toMatchObject({ route: 'POST /updateProfile' });
    expect(Number(write?.['units'])).toBeGreaterThanOrEqual(1);
  });

  it('is not requested otherwise, because counting costs work as well', async () => {
    const quiet = await startBackend();
    await quiet.call('/getProfile', { headers: newUser().headers });
    expect(quiet.log.lines.filter(({ level }) => level === 'debug')).toEqual([]);
    await quiet.stop();
  });
});
