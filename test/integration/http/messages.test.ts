import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeContracts } from '../../../tools/build/docs/route-contracts.ts';
import { type Answer, type Backend, startBackend } from '../../support/backend.ts';
import { gardeners } from '../../support/gardeners.ts';
import { jargonIn } from '../../support/words-for-people.ts';

let backend: Backend;
let headers: Record<string, string>;
beforeAll(async () => {
  backend = await startBackend();
  headers = { ...(await gardeners(backend).premium()).headers };
});
afterAll(() => backend.stop());

const FOR_PEOPLE = ['public', 'cognito', 'cognito-optional'];
// OAuth's routes say errors to developers, in another form.
const routes = routeContracts()
  .filter(({ auth, errorForm }) => FOR_PEOPLE.includes(auth) && errorForm === undefined)
  .map(({ method, path }) => ({ method, path: path.replace(/\{\w+\}/g, '%20') }));

function expectWords({ status, body }: Answer): void {
  if (status < 400 || body.error === undefined) return;
  expect(jargonIn(body.error.message), body.error.message).toEqual([]);
}

describe('error messages for invalid input', () => {
  it.each(routes)('to $method $path are in plain words, with the fields in the details', async ({ method, path }) => {
    const sent = { headers, method };
    if (method === 'GET') {
      expectWords(await backend.call(`${path}?limit=0&cursor=%20&serial=x&current_version=%20&to=x`, sent));
    } else {
      const wrong = { hw_id: 1, baseDocVersion: 'x', claim_code: {}, profile: { displayName: 1 } };
      const answers = [
        await backend.call(path, { ...sent, body: wrong }),
        await backend.call(path, { ...sent, body: '{', headers: { ...headers, 'Content-Type': 'application/json' } }),
        await backend.call(path, { ...sent, body: 'x', headers: { ...headers, 'Content-Type': 'text/plain' } }),
        await backend.call(path, {
          ...sent,
          body: '{"__proto__":1}',
          headers: { ...headers, 'Content-Type': 'application/json' },
        }),
        await backend.call(path, { ...sent, body: { text: 'x'.repeat(5_000_000) } }),
      ];
      for (const answer of answers) expectWords(answer);
      const refused = answers.filter(({ status }) => status >= 400);
      // The body of one route is not read, and only its size can be wrong.
      expect(refused.length).toBeGreaterThan(path === '/notifications/unsubscribe' ? 0 : 1);
      for (const { status, body } of refused) {
        if (status < 429) expect(body.error.details, JSON.stringify(body)).toBeDefined();
      }
    }
    expectWords(await backend.call(path, { headers, method: method === 'GET' ? 'POST' : 'GET' }));
    expectWords(await backend.call(path, { method }));
  });

  it('from someone who already subscribes name the route only in the details', async () => {
    const answer = await backend.call('/createSubscriptionCheckout', { headers, body: {} });
    expect(answer.body.error).toMatchObject({
      code: 'already_subscribed',
      message: 'You already have Premium. You can change it under “Manage subscription”.',
      details: { status: 'trialing', manageAt: 'POST /createBillingPortalSession' },
    });
  });
});
