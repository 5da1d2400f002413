import type { ListedRoute } from '../../cli/target/route-list.ts';
import { type Answer, expectError, expectStatus, type SmokeCheck } from './checks.ts';

/** Checks the OTA routes with a valid token. No call changes anything. */
export function adminChecks(routes: readonly ListedRoute[], token: string): readonly SmokeCheck[] {
  const headers = { 'x-admin-token': token };
  const bearer = { Authorization: `Bearer ${token}` };
  const reading = routes.filter(
    ({ method, path, auth }) => auth === 'admin' && method === 'GET' && /^\/ota\//.test(path),
  );
  return [
    ...reading.map(({ path }) => ({
      name: `GET ${path} accepts the admin token`,
      run: async (probe: (where: string, init?: RequestInit) => Promise<Answer>) => {
        const answer = await probe(path.replace(/\{\w+\}/g, '0.0.0'), { headers });
        // Release 0.0.0 need not exist: release_not_found also shows that the token was accepted.
        if (path.includes('{') && answer.status === 404) expectError(answer, 404, 'release_not_found');
        else expectStatus(answer, 200);
      },
    })),
    {
      name: 'GET /ota/releases also accepts the admin token as a bearer token',
      run: async (probe) => expectStatus(await probe('/ota/releases', { headers: bearer }), 200),
    },
    {
      name: 'GET /ota/releases refuses a token that differs in its last character',
      run: async (probe) => {
        const altered = { 'x-admin-token': `${token.slice(0, -1)}${token.endsWith('x') ? 'y' : 'x'}` };
        expectError(await probe('/ota/releases', { headers: altered }), 401, 'invalid_token');
      },
    },
    {
      name: 'POST /ota/releases refuses an empty draft with a valid token',
      run: async (probe) => {
        const json = { ...headers, 'Content-Type': 'application/json' };
        expectError(
          await probe('/ota/releases', { method: 'POST', headers: json, body: '{}' }),
          400,
          'validation_failed',
        );
      },
    },
  ];
}
