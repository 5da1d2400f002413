import { inject } from 'vitest';
import { type StandIn, startStandIn } from '../../tools/run/local-stack/stand-in-server.ts';

export interface KeySetProxy extends StandIn {
  /** How often the key set was fetched. */
  fetches(): number;
}

/** A proxy for cognito-local's key set that counts requests and fails on request. */
export async function startKeySetProxy(): Promise<KeySetProxy> {
  const jwksUri = inject('jwksUri');
  let fetches = 0;
  const standIn = await startStandIn(async (_request, response) => {
    fetches += 1;
    const keys = await fetch(jwksUri);
    response.writeHead(keys.status, { 'Content-Type': 'application/json' }).end(await keys.text());
  }, undefined);
  return { ...standIn, fetches: () => fetches };
}
