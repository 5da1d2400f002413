import { EVENTS_BURST, EVENTS_PER_SECOND } from '@autowatering/relay-protocol';
import type { TransactItems } from '../../../platform/aws/dynamo.ts';
import type { Uid } from '../../../platform/ids.ts';
import type { Services } from '../../../platform/services.ts';
import { fields, number, optional, text, withDefault } from '../../../platform/shapes.ts';
import type { ConnectionId, PeerId } from '../../names.ts';
import { peerKey } from '../../table-keys.ts';
import type { Author } from './publish-request.ts';

/** In this time a peer may publish a burst, which makes the sustained rate. */
const WINDOW_MS = (EVENTS_BURST / EVENTS_PER_SECOND) * 1000;

/** What a publish has to know about its author. */
export interface AuthorState {
  readonly isActive: boolean;
  readonly connectionId: string | undefined;
  /** Number of the window in which it published last, and its events in it. */
  readonly window: number;
  readonly used: number;
}

const storedAuthor = fields({
  status: text,
  connection_id: optional(text),
  window: withDefault(number, 0),
  used: withDefault(number, 0),
});

/** @param item undefined: there is no such peer */
export function toAuthorState(item: Record<string, unknown> | undefined): AuthorState {
  if (item === undefined) return { isActive: false, connectionId: undefined, window: 0, used: 0 };
  const { status, connection_id, window, used } = storedAuthor(item);
  return { isActive: status === 'active', connectionId: connection_id, window, used };
}

/**
 * Reads the author as it was a moment ago, at half the cost: only the rate's window is taken from it. The transaction
 * decides.
 */
export async function readAuthor(
  { config, documents }: Pick<Services, 'config' | 'documents'>,
  uid: Uid,
  peerId: PeerId,
): Promise<AuthorState | undefined> {
  const { Item: item } = await (await documents()).get({ TableName: config.tables.relay, Key: peerKey(uid, peerId) });
  // A peer that was registered a moment ago may be missing here.
  return item === undefined ? undefined : toAuthorState(item);
}

/** The window that counts now. A clock that is behind another container's stays in the newer window. */
function windowAt(now: number, author: AuthorState | undefined): number {
  return Math.max(Math.floor(now / WINDOW_MS), author?.window ?? 0);
}

/** Seconds until `count` events may be published; undefined if they may be now. */
export function waitFor(count: number, author: AuthorState | undefined, now: number): number | undefined {
  const window = windowAt(now, author);
  const used = author?.window === window ? author.used : 0;
  if (used + count <= EVENTS_BURST) return undefined;
  return Math.max(1, Math.ceil(((window + 1) * WINDOW_MS - now) / 1000));
}

/** The author once its events were stored. */
export function authorAfter({
  author,
  authorState,
  events,
  now,
}: {
  readonly author: Author;
  readonly authorState: AuthorState | undefined;
  readonly events: readonly unknown[];
  readonly now: number;
}): AuthorState {
  const window = windowAt(now, authorState);
  const before = authorState?.window === window ? authorState.used : 0;
  return { isActive: true, connectionId: author.connectionId, window, used: before + events.length };
}

/** For a publish's transaction: counts the events, on condition that the author is active and connected as it says. */
export function countAction(
  TableName: string,
  { uid, peerId, connectionId }: Author,
  count: number,
  author: AuthorState | undefined,
  now: number,
): TransactItems[number] {
  const window = windowAt(now, author);
  const isSameWindow = author?.window === window;
  const names: Record<string, string> = { '#status': 'status', '#window': 'window' };
  const values: Record<string, string | number> = { ':active': 'active', ':window': window, ':count': count };
  const conditions = ['#status = :active'];
  if (connectionId !== undefined) {
    conditions.push('connection_id = :connection');
    values[':connection'] = connectionId;
  }
  if (isSameWindow) {
    conditions.push('#window = :window AND used <= :room');
    values[':room'] = EVENTS_BURST - count;
  } else {
    conditions.push('(attribute_not_exists(#window) OR #window < :window)');
  }
  return {
    Update: {
      TableName,
      Key: peerKey(uid, peerId),
      UpdateExpression: isSameWindow ? 'SET used = used + :count' : 'SET #window = :window, used = :count',
      ConditionExpression: conditions.join(' AND '),
      ExpressionAttributeNames: names,
      ExpressionAttributeValues: values,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    },
  };
}

/** Whether the author may not publish at all, by what the transaction found. */
export function authorRefusal(
  author: AuthorState,
  connectionId: ConnectionId | undefined,
): { readonly outcome: 'revoked' | 'replaced' } | undefined {
  if (!author.isActive) return { outcome: 'revoked' };
  if (connectionId !== undefined && author.connectionId !== connectionId) return { outcome: 'replaced' };
  return undefined;
}
