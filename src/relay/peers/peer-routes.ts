import { MAX_CLOCK_SKEW_MS, MAX_PEERS } from '@autowatering/relay-protocol';
import * as z from 'zod';
import type { PeerCaller, User } from '../../http/caller.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import type { OnlineStore } from '../delivery/online-store.ts';
import { isPeerId, type PeerId } from '../names.ts';
import { announceChange } from './announcements.ts';
import type { ListCursors } from './cursor-list.ts';
import type { Peer } from './peer.ts';
import { PeerName, PeerTypeField } from './peer-fields.ts';
import { isProven, ProofField, PublicKeyField } from './public-key.ts';
import { type RevokingParts, revokePeer } from './revoke-peer.ts';

/** A family registers its phones on one evening; a stranger with a stolen sign-in does not fill the table. */
const REGISTER_LIMIT = { requests: 30, windowSeconds: 3600 } as const;
const CHANGE_LIMIT = { requests: 60, windowSeconds: 600 } as const;

const milliseconds = z.int().min(0);
const PeerParams = z.object({ peer_id: z.string().refine(isPeerId, 'the id of a peer') });

const ShownPeer = z.object({
  peer_id: z.string(),
  name: z.string(),
  type: PeerTypeField,
  public_key: z.string(),
  status: z.enum(['active', 'revoked']),
  created_at: milliseconds,
  last_seen_at: milliseconds.nullable(),
  revoked_at: milliseconds.optional(),
});
const ListedPeer = ShownPeer.extend({
  online: z.boolean(),
  cursors: z.array(z.object({ stream: z.string(), epoch: z.string(), seq: z.number() })),
});
const OnePeer = z.object({ ok: z.literal(true), peer: ShownPeer });
const Registered = OnePeer.extend({ relay_url: z.string().nullable() });

/** Is told of every new peer, so that its owner can be. */
export type PeerRegistered = (uid: Uid, peer: Peer) => Promise<void>;

export interface PeerRouteParts extends RevokingParts {
  readonly online: Pick<OnlineStore, 'list'>;
  readonly listCursors: ListCursors;
}

/** The account's peers: registering, renaming and revoking them. */
export function peerRoutes(
  services: Services,
  parts: PeerRouteParts,
  isAlive: AliveCheck,
  onRegistered: PeerRegistered,
): readonly Route[] {
  const { peers, online, listCursors, delivery } = parts;
  const relayUrl = services.config.relay.url ?? null;

  const register = defineRoute({
    method: 'POST',
    path: '/relay/peers',
    auth: 'cognito',
    idempotent: true,
    domain: 'relay',
    summary: 'Registers a phone, tablet, desktop or hub by its key',
    description:
      'The `proof` shows that the private key is at hand: an Ed25519 signature over uid, `public_key` and `time` ' +
      '(docs/relay.md), where `time` is at most 5 minutes off. A hub gives key and proof to the phone that registers ' +
      'it. The same key again is the same peer, unchanged: 200. The key of another account, or of a revoked peer, is ' +
      `409 \`key_in_use\`. Names are unique within the account, ignoring case. An account has at most ${MAX_PEERS} ` +
      'active peers. `relay_url` is where peers connect. Times are milliseconds since 1970.',
    rateLimit: REGISTER_LIMIT,
    body: z.strictObject({
      name: PeerName,
      type: PeerTypeField,
      public_key: PublicKeyField,
      time: milliseconds,
      proof: ProofField,
    }),
    responses: { 200: Registered, 201: Registered },
    errors: ['clock_skew', 'proof_invalid', 'key_in_use', 'name_in_use', 'too_many_peers'],
  }).handledBy(async ({ caller, body }, { now, log }) => {
    const { uid } = caller;
    const { name, type, public_key: publicKey, time, proof } = body;
    if (Math.abs(time - now) > MAX_CLOCK_SKEW_MS) {
      throw new ApiError('clock_skew', 'The clock of this device is wrong. Please set it and try again.', {
        details: { time: now },
      });
    }
    if (!isProven(uid, publicKey, time, proof)) {
      throw new ApiError('proof_invalid', 'This device could not show that its key is its own. Please try again.');
    }
    const result = await peers.register(uid, { name, type, publicKey }, isAlive, now);
    services.metrics.count('RelayPeerRegistration', { outcome: result.outcome });
    switch (result.outcome) {
      case 'registered':
        await Promise.all([
          announceChange(delivery, log, uid, result.peer, 'registered'),
          onRegistered(uid, result.peer),
        ]);
        return { status: 201, body: { ok: true, peer: shown(result.peer), relay_url: relayUrl } };
      case 'known':
        return { status: 200, body: { ok: true, peer: shown(result.peer), relay_url: relayUrl } };
      case 'key_in_use':
        throw new ApiError(
          'key_in_use',
          'This device belongs to another account or was removed from one. Please set it up anew.',
        );
      case 'name_in_use':
        throw nameInUse();
      case 'too_many_peers':
        throw new ApiError(
          'too_many_peers',
          'You have too many devices here. Please remove one that you no longer use.',
          {
            details: { limit: MAX_PEERS },
          },
        );
      case 'account_deleted':
        throw new ApiError('account_deleted', 'This account has been deleted.');
    }
  });

  const list = defineRoute({
    method: 'GET',
    path: '/relay/peers',
    auth: 'cognito',
    openToPeers: true,
    domain: 'relay',
    summary: "Lists the account's peers",
    description:
      'The active ones, oldest first, with presence and how far each has read every stream (`cursors`). With ' +
      '`revoked=true` also those that were revoked within a year. Times are milliseconds since 1970.',
    query: z.object({ revoked: z.enum(['true', 'false']).optional() }),
    responses: { 200: z.object({ ok: z.literal(true), peers: z.array(ListedPeer), relay_url: z.string().nullable() }) },
    errors: [],
  }).handledBy(async ({ caller: { uid }, query }, { now }) => {
    const [all, connected, cursors] = await Promise.all([peers.list(uid), online.list(uid), listCursors(uid)]);
    // `$disconnect` may never have come; the connection's time is up all the same.
    const isOnline = new Set(connected.flatMap(({ peerId, endsAt }) => (endsAt > now ? [peerId] : [])));
    const wanted = all.filter(({ status }) => status === 'active' || query.revoked === 'true');
    return {
      status: 200,
      body: {
        ok: true,
        peers: wanted.map((peer) => ({
          ...shown(peer),
          online: peer.status === 'active' && isOnline.has(peer.peerId),
          cursors: cursors.flatMap(({ peerId, stream, epoch, seq }) =>
            peerId === peer.peerId ? [{ stream, epoch, seq }] : [],
          ),
        })),
        relay_url: relayUrl,
      },
    };
  });

  const rename = defineRoute({
    method: 'POST',
    path: '/relay/peers/{peer_id}',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'relay',
    summary: 'Renames a peer',
    description: 'The others are told. A peer of another account is as one that does not exist.',
    rateLimit: CHANGE_LIMIT,
    params: PeerParams,
    body: z.strictObject({ name: PeerName }),
    responses: { 200: OnePeer },
    errors: ['peer_not_found', 'name_in_use'],
  }).handledBy(async ({ caller: { uid }, params, body }, { log }) => {
    const result = await peers.rename(uid, params.peer_id, body.name);
    if (result.outcome === 'not_found') throw peerNotFound();
    if (result.outcome === 'name_in_use') throw nameInUse();
    if (result.isChanged) await announceChange(delivery, log, uid, result.peer, 'renamed');
    return { status: 200, body: { ok: true, peer: shown(result.peer) } };
  });

  const revoke = defineRoute({
    method: 'POST',
    path: '/relay/peers/{peer_id}/revoke',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'relay',
    summary: 'Revokes a peer for good',
    description:
      'Its session ends, its tokens open nothing any more, and its key is never accepted again; the device needs a new ' +
      'one to come back. With its own token a peer may revoke only itself.',
    rateLimit: CHANGE_LIMIT,
    params: PeerParams,
    body: z.strictObject({}),
    responses: { 200: OnePeer },
    errors: ['peer_not_found', 'other_peer'],
  }).handledBy(async ({ caller, params }, { now, log }) => {
    refuseOtherPeers(caller, params.peer_id);
    const peer = await revokePeer(parts, log, caller.uid, params.peer_id, now);
    if (peer === undefined) throw peerNotFound();
    services.metrics.count('RelayPeerRevoked');
    return { status: 200, body: { ok: true, peer: shown(peer) } };
  });

  return [register, list, rename, revoke];
}

/** A stolen hub must not be able to lock its owner's phones out. */
function refuseOtherPeers(caller: User | PeerCaller, peerId: PeerId): void {
  if (caller.kind === 'user' || caller.peerId === peerId) return;
  throw new ApiError('other_peer', 'This device can only remove itself. Please sign in to remove another one.');
}

function peerNotFound(): ApiError {
  return new ApiError('peer_not_found', 'We could not find this device in your account.');
}

function nameInUse(): ApiError {
  return new ApiError('name_in_use', 'Another one of your devices has this name. Please choose a different one.');
}

function shown(peer: Peer): z.input<typeof ShownPeer> {
  return {
    peer_id: peer.peerId,
    name: peer.name,
    type: peer.type,
    public_key: peer.publicKey,
    status: peer.status,
    created_at: peer.createdAt,
    last_seen_at: peer.lastSeenAt ?? null,
    ...(peer.revokedAt === undefined ? {} : { revoked_at: peer.revokedAt }),
  };
}
