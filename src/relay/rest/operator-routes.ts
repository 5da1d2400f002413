import pMap from 'p-map';
import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { textLine } from '../../http/fields.ts';
import { isUid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { OnlineStore } from '../delivery/online-store.ts';
import { isPeerId } from '../names.ts';
import type { PeerDelivery } from '../peers/announcements.ts';
import { PeerTypeField } from '../peers/peer-fields.ts';
import type { PeerStore } from '../peers/peer-store.ts';
import { Milliseconds } from './stream-fields.ts';

export interface OperatorRouteParts {
  readonly peers: PeerStore;
  readonly online: OnlineStore;
  readonly delivery: PeerDelivery;
}

const AT_ONCE = 5;
const AccountParams = z.object({ uid: z.string().refine(isUid, 'the id of a user') });

/** For operators: an account's sessions, and ending them. They never see what is in the streams. */
export function operatorRoutes(
  services: Pick<Services, 'clock' | 'metrics'>,
  parts: OperatorRouteParts,
): readonly Route[] {
  const { peers, online, delivery } = parts;

  const list = defineRoute({
    method: 'GET',
    path: '/relay/accounts/{uid}/sessions',
    auth: 'admin',
    domain: 'relay',
    summary: "Lists an account's sessions",
    description:
      'The peers that are connected, and since when. An account that is unknown has none. Times are milliseconds since ' +
      '1970.',
    params: AccountParams,
    responses: {
      200: z.object({
        ok: z.literal(true),
        sessions: z.array(
          z.object({
            peer_id: z.string(),
            type: PeerTypeField,
            connection_id: z.string(),
            established_at: Milliseconds,
            ends_at: Milliseconds,
            subscriptions: z.number(),
          }),
        ),
      }),
    },
    errors: [],
  }).handledBy(async ({ params: { uid } }) => {
    const [all, connected] = await Promise.all([peers.list(uid), online.list(uid)]);
    const types = new Map(all.map(({ peerId, type }) => [peerId, type]));
    return {
      status: 200,
      body: {
        ok: true,
        sessions: connected.flatMap(({ peerId, connectionId, establishedAt, endsAt, subscriptions }) => {
          const type = types.get(peerId);
          if (type === undefined || endsAt <= services.clock.now()) return [];
          return [
            {
              ...{ peer_id: peerId, type, connection_id: connectionId },
              ...{ established_at: establishedAt, ends_at: endsAt, subscriptions: subscriptions.size },
            },
          ];
        }),
      },
    };
  });

  const disconnect = defineRoute({
    method: 'POST',
    path: '/relay/accounts/{uid}/disconnect',
    auth: 'admin',
    idempotent: true,
    domain: 'relay',
    summary: "Ends an account's sessions",
    description:
      'All of them, or that of one peer. The peers are told `bye shutdown` and may connect again; to keep one out, its ' +
      'owner revokes it. The `reason` goes to the log.',
    params: AccountParams,
    body: z.strictObject({
      peer_id: z.string().refine(isPeerId, 'the id of a peer').optional(),
      reason: textLine(200).min(1),
    }),
    responses: { 200: z.object({ ok: z.literal(true), disconnected: z.array(z.string()) }) },
    errors: [],
  }).handledBy(async ({ params: { uid }, body }, { log }) => {
    const connected = (await online.list(uid)).filter(
      ({ peerId }) => body.peer_id === undefined || body.peer_id === peerId,
    );
    const peerIds = connected.map(({ peerId }) => peerId);
    log.info('An operator ends sessions', { uid, peerIds: peerIds.join(' '), reason: body.reason });
    await pMap(connected, (peer) => delivery.bye(uid, peer, 'shutdown', 'The session was ended by an operator.'), {
      concurrency: AT_ONCE,
    });
    services.metrics.count('RelayDisconnected', {}, connected.length);
    return { status: 200, body: { ok: true, disconnected: peerIds } };
  });

  return [list, disconnect];
}
