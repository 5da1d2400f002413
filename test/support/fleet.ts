import type { Answer, Backend } from './backend.ts';

export interface MadeDevice {
  readonly serial: string;
  readonly hw_id: string;
  readonly claim_code: string;
}

let made = 0;

/** The factory's calls to a backend, and new devices for each test. */
export function fleetOf(backend: Backend, station = 'line-1') {
  const headers = { 'x-factory-token': backend.secrets.factoryToken, 'x-factory-station': station };
  const post = (path: string, body: unknown): Promise<Answer> => backend.call(path, { headers, body });
  return {
    async device(fields: Readonly<Record<string, unknown>> = {}): Promise<MadeDevice> {
      made += 1;
      const answer = await post('/provision', { hw_id: `F1EE7${String(made).padStart(8, '0')}`, ...fields });
      if (answer.status !== 201) throw new Error(`provisioning answered ${answer.status}`);
      return answer.body;
    },
    step: (name: 'activate' | 'revoke' | 'reactivate', hwId: string, reason?: string) =>
      post(`/${name}Device`, { hw_id: hwId, ...(reason === undefined ? {} : { reason }) }),
    audit: (hwId: string, query = '') => backend.call(`/deviceAudit?hw_id=${hwId}${query}`, { headers }),
    get: (path: string) => backend.call(path, { headers }),
    post,
  };
}

/** Sums the state counters stored in the table. */
export async function keptStates(backend: Backend): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  for (const item of await backend.scan('provisioning')) {
    if (item['hw_id'] !== '#fleet-counts' || !String(item['record']).startsWith('status#')) continue;
    for (const state of ['factory_only', 'active', 'claimed', 'revoked']) {
      sums[state] = (sums[state] ?? 0) + Number(item[state] ?? 0);
    }
  }
  return sums;
}
