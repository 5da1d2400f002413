import { OFTEN, type World } from './bench-world.ts';
import type { MakeRoute, RouteRequests } from './route-requests.ts';

/** Requests to the routes for what owners are told, and how. */
export function notificationRequests(route: MakeRoute, { people }: World): readonly RouteRequests[] {
  const by = (index: number) => {
    const person = people[index % people.length];
    if (person === undefined) throw new Error('the benchmark prepared too few people');
    return person;
  };
  const removed = `/notifications/subscriptions/${'a'.repeat(32)}/remove`;
  return [
    route('GET /notifications', (index) => ({ by: by(index) })),
    route('POST /notifications/read', (index) => ({ by: by(index), body: { until: Date.now() } }), {
      limit: 300 * OFTEN,
    }),
    route('GET /notifications/settings', (index) => ({ by: by(index) })),
    route(
      'POST /notifications/settings',
      (index) => ({ by: by(index), body: { kinds: { insight: { email: index % 2 === 0 } } } }),
      { limit: 60 * OFTEN },
    ),
    route('POST /notifications/test', (index) => ({ by: by(index), body: {} }), { limit: 5 * OFTEN }),
    route(
      'POST /notifications/subscriptions',
      (index) => ({
        by: by(index),
        body: { type: 'mobile_push', platform: 'android', token: `token-of-phone-${index % people.length}` },
      }),
      { limit: 60 * OFTEN },
    ),
    route('GET /notifications/subscriptions', (index) => ({ by: by(index) })),
    route(
      'POST /notifications/subscriptions/{subscription_id}/remove',
      (index) => ({ by: by(index), path: removed, body: {} }),
      { limit: 60 * OFTEN },
    ),
    route('GET /notifications/unsubscribe', (index) => ({ by: anonymous(by(index)), path: UNKNOWN }), {
      limit: 60 * OFTEN,
    }),
    route('POST /notifications/unsubscribe', (index) => ({ by: anonymous(by(index)), path: UNKNOWN }), {
      limit: 60 * OFTEN,
    }),
  ];
}

/** Most of these links are looked at by programs, and some are broken. */
const UNKNOWN = '/notifications/unsubscribe?token=unknown';

function anonymous<P extends { readonly address: string }>({ address }: P) {
  return { headers: {}, address };
}
