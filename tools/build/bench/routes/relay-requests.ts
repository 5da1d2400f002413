import { form, publishBody, registration, tokenForm } from './bench-peers.ts';
import { OFTEN, type Person, RARE, type World } from './bench-world.ts';
import type { MakeRoute, RouteRequests } from './route-requests.ts';

/** Requests to the routes of the relay. Peers publish in turns, each with its own numbers. */
export function relayRequests(route: MakeRoute, { people, peers, lost }: World, admin: Person): RouteRequests[] {
  const of = <T>(list: readonly T[], index: number): T => {
    const one = list[index % list.length];
    if (one === undefined) throw new Error('the benchmark prepared too few peers');
    return one;
  };
  const peer = (index: number) => of(peers, index);
  const anonymous = ({ address }: Person): Person => ({ headers: {}, address });
  return [
    route(
      'POST /relay/peers',
      (i) => {
        const by = of(people, i);
        return { by, body: registration(by).body };
      },
      { once: OFTEN },
    ),
    route('GET /relay/peers', (i) => ({ by: peer(i).owner })),
    route(
      'POST /relay/peers/{peer_id}',
      (i) => ({ by: peer(i).owner, path: `/relay/peers/${peer(i).peerId}`, body: { name: `Balcony ${i}` } }),
      { limit: 60 * RARE },
    ),
    route(
      'POST /relay/peers/{peer_id}/revoke',
      (i) => ({ by: of(lost, i).owner, path: `/relay/peers/${of(lost, i).peerId}/revoke`, body: {} }),
      { once: RARE },
    ),
    route('POST /relay/token', (i) => ({ by: anonymous(peer(i).owner), raw: tokenForm(peer(i)) })),
    route('POST /relay/token/revoke', (i) => ({ by: anonymous(peer(i).owner), raw: form({ token: 'rt_unknown' }) })),
    route('GET /.well-known/jwks.json', () => ({})),
    route('GET /relay/streams', (i) => ({ by: peer(i).own })),
    route(
      'POST /relay/streams/{stream}',
      (i) => ({ by: peer(i).own, path: '/relay/streams/kept', body: { retention_days: 30 + (i % 2) } }),
      { limit: 60 * RARE },
    ),
    route(
      'POST /relay/streams/{stream}/delete',
      (i) => ({ by: peer(i).own, path: '/relay/streams/deleted/delete', body: {} }),
      { once: RARE },
    ),
    route('GET /relay/streams/{stream}/events', (i) => ({ by: peer(i).own, path: '/relay/streams/kept/events' })),
    route('POST /relay/streams/{stream}/events', (i) => ({
      by: peer(i).own,
      path: '/relay/streams/kept/events',
      body: publishBody(2 + Math.floor(i / peers.length)),
    })),
    route('GET /relay/accounts/{uid}/sessions', () => ({ by: admin, path: '/relay/accounts/nobody/sessions' })),
    route('POST /relay/accounts/{uid}/disconnect', () => ({
      by: admin,
      path: '/relay/accounts/nobody/disconnect',
      body: { reason: 'benchmark' },
    })),
  ];
}
