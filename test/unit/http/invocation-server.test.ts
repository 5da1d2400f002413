import { once } from 'node:events';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInvocationServer } from '../../../src/http/adapters/invocation-server.ts';

let server: Server;
let base: string;
beforeAll(async () => {
  server = createInvocationServer(async (event: { readonly failure?: string; readonly hello?: string }) => {
    if (event.failure === 'oddly') throw 'odd';
    if (event.failure !== undefined) throw new Error(event.failure);
    return { heard: event.hello };
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const NAME = '/2015-03-31/functions/relay/invocations';
const INVOKED = { 'X-Amz-Invocation-Type': 'RequestResponse' };
const invoke = (body: string, where = NAME, headers: Readonly<Record<string, string>> = INVOKED, method = 'POST') =>
  fetch(base + where, { method, headers, ...(method === 'POST' && { body }) });

describe('the function that the local gateway calls', () => {
  it('answers an event with its result', async () => {
    const answer = await invoke('{"hello":"peer"}');
    expect([answer.status, await answer.json()]).toEqual([200, { heard: 'peer' }]);
  });

  it.each(['a fault', 'oddly'])('says that it failed, as Lambda does: %s', async (failure) => {
    const answer = await invoke(JSON.stringify({ failure }));
    expect([answer.status, answer.headers.get('x-amz-function-error')]).toEqual([200, 'Unhandled']);
    expect(await answer.json()).toEqual({ errorMessage: failure === 'oddly' ? 'odd' : failure });
  });

  it('says that an event can’t be read', async () => {
    const answer = await invoke('{');
    expect(answer.headers.get('x-amz-function-error')).toBe('Unhandled');
  });

  it('is not called by pages, nor at another address, nor by GET', async () => {
    const answers = await Promise.all([
      invoke('{}', NAME, {}),
      invoke('{}', '/other'),
      invoke('', NAME, INVOKED, 'GET'),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
  });

  it('takes no more than Lambda does', async () => {
    const tooLarge = await invoke(JSON.stringify({ hello: 'x'.repeat(6 * 1024 * 1024) }));
    expect(tooLarge.status).toBe(413);
  });
});
