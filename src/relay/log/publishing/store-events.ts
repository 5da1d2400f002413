import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_RETENTION_DAYS, MAX_CLOCK_SKEW_MS } from '@autowatering/relay-protocol';
import { type CancellationReason, transactWrite } from '../../../platform/aws/dynamo.ts';
import type { Uid } from '../../../platform/ids.ts';
import { DependencyUnavailableError } from '../../../platform/resilience/dependency.ts';
import type { Services } from '../../../platform/services.ts';
import { textThat } from '../../../platform/shapes.ts';
import { type Epoch, isEpoch, SERVICE_PEER } from '../../names.ts';
import { hasPeers } from '../../peers/has-peers.ts';
import { createPeerStore } from '../../peers/peer-store.ts';
import {
  ACCOUNT_LIMITS,
  type AccountLimits,
  ALLOTMENT_BYTES,
  giveBackExpired,
  reachedLimit,
} from '../account-limits.ts';
import { createLogStore } from '../log-store.ts';
import { eventsLeft, eventsText, goneAt, newEvents, toNewest } from '../stored-events.ts';
import { type Stream, toStream } from '../stored-stream.ts';
import { type AuthorState, authorRefusal, readAuthor, toAuthorState, waitFor } from './publish-rate.ts';
import type { Author, PublishOutcome, PublishRequest } from './publish-request.ts';
import { type NamedAction, type Publication, publishActions } from './publish-transaction.ts';
import { createRememberedBasis } from './remembered-basis.ts';
import { findPublished } from './repeated-publish.ts';

/** With all peers of an account publishing at once, each is overtaken by the others a few times. */
const MOST_TRIES = 40;
const BASE_MS = 4;
const LONGEST_MS = 80;
const EPOCH_BYTES = 16;
const LOG_ID_BYTES = 9;
/** More than an account's active peers, so that it is rarely reached. */
const MOST_AUTHORS = 30;

type Needed = Pick<Services, 'config' | 'documents' | 'randomness' | 'clock'>;

/** What an attempt is based on. It changes when the transaction finds that something else is stored. */
interface Basis {
  readonly stream: Stream | undefined;
  readonly author: AuthorState | undefined;
  /** How the account's bytes are asked for: by a generous step, or, when there is little left, just what it takes. */
  readonly asks: 'generously' | 'sparingly';
  /** It was not read for this publish: only good for the transaction, which checks it, and not for a refusal. */
  readonly isRemembered: boolean;
}

/**
 * Stores the events of a publish, all or none, exactly once: numbers them in one transaction on condition that the
 * stream is as it was read, and the author may still publish.
 *
 * @throws DependencyUnavailableError when DynamoDB does not answer, or others are always faster; the events may or may not
 *   be stored; repeating the same publish shows which
 */
export function createEventStorage(services: Needed, limits: AccountLimits = ACCOUNT_LIMITS) {
  const { config, documents, randomness, clock } = services;
  const TableName = config.tables.relay;
  const logs = createLogStore(services);
  const peers = createPeerStore(services);
  const remembered = createRememberedBasis();

  /** A finished outcome, or what to write. */
  const decide = async (
    author: Author,
    request: PublishRequest,
    basis: Basis,
  ): Promise<PublishOutcome | Publication> => {
    const { stream } = basis;
    const now = clock.now();
    if (basis.author?.isActive === false) return { outcome: 'revoked' };
    const last = stream?.authors.get(author.peerId)?.clientSeq ?? 0;
    const { clientSeq } = request;
    if (clientSeq !== 'next' && clientSeq !== last + 1) {
      const known = stream && (await findPublished(services, logs, author, stream, { ...request, clientSeq }));
      return known ?? { outcome: 'client_seq_expected', expected: last + 1 };
    }
    // Only now: a publish whose answer was lost may be repeated hours later, as it was.
    if (request.events.some(({ sent_at }) => Math.abs(sent_at - now) > MAX_CLOCK_SKEW_MS)) {
      return { outcome: 'clock_skew', time: now };
    }
    const hasKeys = request.events.some(({ key }) => key !== undefined);
    const head = stream?.head ?? 0;
    if (request.ifSeq !== undefined && !hasKeys && request.ifSeq !== head) {
      const winner = stream && (await logs.readChunk(author.uid, stream, head));
      return { outcome: 'conflict', event: (winner && eventsLeft(winner, now).at(-1)) ?? null, seq: head };
    }
    const retryAfter = waitFor(request.events.length, basis.author, now);
    if (retryAfter !== undefined) return { outcome: 'rate_limited', retryAfter };
    const kept = stream && last === 0 ? await withoutRevoked(author.uid, stream) : stream;
    return publication(author, request, { ...basis, stream: kept }, hasKeys ? request.ifSeq : undefined, now);
  };

  /** A stream remembers its authors. Those that will never publish again make room for new ones. */
  const withoutRevoked = async (uid: Uid, stream: Stream): Promise<Stream> => {
    if (stream.authors.size < MOST_AUTHORS) return stream;
    const active = new Set<string>([
      SERVICE_PEER,
      ...(await peers.list(uid)).flatMap((peer) => (peer.status === 'active' ? [peer.peerId] : [])),
    ]);
    const authors = new Map([...stream.authors].filter(([peerId]) => active.has(peerId)));
    return { ...stream, authors, areAuthorsStored: false };
  };

  const newStream = (request: PublishRequest, now: number): Stream => ({
    name: request.stream,
    logId: randomness.bytes(LOG_ID_BYTES).toString('base64url'),
    epoch: newEpoch(randomness.bytes(EPOCH_BYTES)),
    ...{ head: 0, written: 0, removed: 0, allotted: 0, createdAt: now },
    ...{ retentionDays: DEFAULT_RETENTION_DAYS, authors: new Map(), areAuthorsStored: true },
  });

  const publication = (
    author: Author,
    request: PublishRequest,
    basis: Basis,
    keysIfSeq: number | undefined,
    now: number,
  ): Publication => {
    const { peerId } = author;
    const before = basis.stream ?? newStream(request, now);
    const firstSeq = before.head + 1;
    const head = before.head + request.events.length;
    const clientSeq = (before.authors.get(peerId)?.clientSeq ?? 0) + 1;
    const events = newEvents(request.events, { peerId, clientSeq, firstSeq, now });
    const text = eventsText(events);
    const written = before.written + Buffer.byteLength(text);
    const step = basis.asks === 'generously' ? ALLOTMENT_BYTES : 0;
    const allotted = written <= before.allotted ? before.allotted : Math.max(written, before.allotted + step);
    const position = { clientSeq: clientSeq + events.length - 1, seq: head };
    return {
      ...{ author, authorState: basis.author, before: basis.stream, events, text, keysIfSeq, now },
      after: { ...before, head, written, allotted, authors: new Map(before.authors).set(peerId, position) },
      chunk: {
        ...{ epoch: before.epoch, peerId, firstSeq, lastSeq: head, clientSeq, receivedAt: now },
        previous: before.authors.get(peerId)?.seq ?? 0,
        goneAt: goneAt(events, before.retentionDays),
        writtenBefore: before.written,
      },
    };
  };

  /** What a failed transaction means: an outcome, or what the next attempt is based on. */
  const learn = async (
    publication: Publication,
    failed: ReadonlyMap<NamedAction['name'], CancellationReason>,
    basis: Basis,
  ): Promise<PublishOutcome | Basis> => {
    const { author, now } = publication;
    const [stream, peer, account, key] = [
      failed.get('stream'),
      failed.get('author'),
      failed.get('account'),
      failed.get('key'),
    ];
    if (author.peerId === SERVICE_PEER) {
      const checked = peer ?? account;
      if (checked !== undefined && !hasPeers(checked.item)) return { outcome: 'revoked' };
    }
    const isPeer = peer !== undefined && author.peerId !== SERVICE_PEER;
    const state = isPeer ? toAuthorState(peer.item) : basis.author;
    const refusal = isPeer ? authorRefusal(toAuthorState(peer.item), author.connectionId) : undefined;
    if (refusal !== undefined) return refusal;
    if (stream !== undefined && basis.isRemembered) remembered.overtaken(author.uid, publication.after.name, now);
    // Whatever else failed may be due to what the stream did meanwhile, maybe by the very same publish.
    if (stream !== undefined) {
      const left = stream.item === undefined ? undefined : toStream(stream.item);
      return { ...basis, author: state, stream: left, isRemembered: false };
    }
    if (key !== undefined) {
      const newest = key.item === undefined ? undefined : toNewest(key.item);
      const isLeft = newest !== undefined && newest.until > now;
      return isLeft
        ? { outcome: 'conflict', event: newest.event, seq: newest.event.seq }
        : { outcome: 'conflict', event: null, seq: 0 };
    }
    if (account !== undefined) {
      const limit = reachedLimit(account.item, limits);
      if (limit === 'streams' || basis.asks === 'sparingly') return { outcome: 'limit_reached', limit };
      await giveBackExpired(services, logs, author.uid, now);
      const left = await logs.readStream(author.uid, publication.after.name);
      return { author: state, stream: left, asks: 'sparingly', isRemembered: false };
    }
    return { ...basis, author: state, isRemembered: false };
  };

  const read = async ({ uid, peerId }: Author, { stream: name }: PublishRequest): Promise<Basis> => {
    const [stream, author] = await Promise.all([
      logs.readStream(uid, name),
      // The service has no rate of its own.
      peerId === SERVICE_PEER ? undefined : readAuthor(services, uid, peerId),
    ]);
    return { stream, author, asks: 'generously', isRemembered: false };
  };

  return async (author: Author, request: PublishRequest): Promise<PublishOutcome> => {
    const known = remembered.find(author, request.stream, clock.now());
    let basis: Basis = known ? { ...known, asks: 'generously', isRemembered: true } : await read(author, request);
    for (let tries = 0; tries < MOST_TRIES; tries += 1) {
      const decided = await decide(author, request, basis);
      if ('outcome' in decided) {
        if (!basis.isRemembered) return decided;
        basis = await read(author, request);
        continue;
      }
      const actions = publishActions(TableName, decided, limits);
      const written = await transactWrite(
        documents,
        randomness,
        actions.map(({ action }) => action),
      );
      if (written.committed) {
        remembered.stored(decided);
        const { after, events, now } = decided;
        return { outcome: 'published', isRepeated: false, epoch: after.epoch, events, time: now };
      }
      const learned = await learn(decided, failedActions(actions, written.reasons), basis);
      if ('outcome' in learned) return learned;
      basis = learned;
      if (tries > 0) await delay(randomness.fraction() * Math.min(LONGEST_MS, BASE_MS * 2 ** tries));
    }
    throw new DependencyUnavailableError('DynamoDB', new Error('other publishes were always faster'));
  };
}

/** By what they are, the first of a kind whose condition failed. */
function failedActions(
  actions: readonly NamedAction[],
  reasons: readonly CancellationReason[],
): ReadonlyMap<NamedAction['name'], CancellationReason> {
  const failed = new Map<NamedAction['name'], CancellationReason>();
  for (const [index, reason] of reasons.entries()) {
    const name = actions[index]?.name;
    if (name !== undefined && reason.code === 'ConditionalCheckFailed' && !failed.has(name)) failed.set(name, reason);
  }
  return failed;
}

function newEpoch(random: Buffer): Epoch {
  return textThat(isEpoch, 'an epoch')(random.toString('base64url'));
}
