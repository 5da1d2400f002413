import pMap from 'p-map';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';
import { MAIL_TARGET, type Target, type TargetsOf } from '../channels/targets.ts';
import type { EndpointStore } from '../endpoints/endpoint-store.ts';
import type { InboxStore } from '../inbox/inbox-store.ts';
import type { Message } from '../inbox/message.ts';
import { channelsOf } from '../settings/preferences.ts';
import { type Composition, composeDigest, composeOne, composeTest } from './composition.ts';
import { heldBackUntil } from './delivery-time.ts';
import type { ClaimedDue, Due } from './due.ts';
import type { DueStore } from './due-store.ts';
import { type ReadDeviceNames, type Recipient, type RecipientParts, readRecipient } from './recipient.ts';

export interface DeliverParts extends RecipientParts {
  readonly due: Pick<DueStore, 'claim' | 'noteMail' | 'giveBack' | 'postpone' | 'finish'>;
  readonly inbox: Pick<InboxStore, 'read'>;
  readonly endpoints: Pick<EndpointStore, 'list' | 'remove'>;
  readonly targetsOf: TargetsOf;
  /** Asked when a message leaves, so that it has the name of that moment, and none is stored with messages. */
  readonly namesOf: ReadDeviceNames;
}

/** A delivery with its message; null for a test. */
interface Item {
  readonly due: ClaimedDue;
  readonly message: Message | null;
}

const TARGETS_AT_ONCE = 5;
const ITEMS_AT_ONCE = 10;
const MOST_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 5 * 60 * 1000;

/**
 * Sends what is due for one account. Every delivery is claimed first, so that of two runs one sends it. What a service
 * does not take now is tried again later, for those only who have not got it. A run that dies leaves its claims behind:
 * pushes are then sent again, under the same topic. A mail that it had begun is sent again if it is urgent, since a leak
 * that nobody hears of is worse than one that is told twice; any other mail is not.
 */
export function createDeliver(
  { clock, log, metrics }: Pick<Services, 'clock' | 'log' | 'metrics'>,
  parts: DeliverParts,
): (uid: Uid, dues: readonly Due[]) => Promise<number> {
  const { due: store, inbox, endpoints, targetsOf, namesOf } = parts;

  /** False if another run has taken one of them over. */
  const noteMail = async (items: readonly Item[]): Promise<boolean> => {
    const noted = await pMap(items, ({ due }) => store.noteMail(due), { concurrency: ITEMS_AT_ONCE });
    return !noted.includes(false);
  };

  /** @returns those who have to be tried again */
  const send = async (
    uid: Uid,
    items: readonly Item[],
    composition: (channel: Target['channel']) => Composition | undefined,
    targets: readonly Target[],
  ): Promise<readonly string[]> => {
    const outcomes = await pMap(
      targets,
      async (target) => {
        const { id, channel } = target;
        const wanted = composition(channel);
        const open = items.filter(({ due: { remaining } }) => remaining === undefined || remaining.includes(id));
        if (wanted === undefined || open.length === 0) return [];
        const isMail = id === MAIL_TARGET;
        if (isMail && open.some(({ due }) => due.isMailNoted)) return [];
        if (isMail && !wanted.isUrgent && !(await noteMail(open))) return [];
        const outcome = await target.send(wanted);
        metrics.count('NotificationsSent', { channel, outcome });
        if (isMail && wanted.isUrgent && outcome !== 'later') await noteMail(open);
        if (outcome === 'gone') await endpoints.remove(uid, id);
        return outcome === 'later' ? [id] : [];
      },
      { concurrency: TARGETS_AT_ONCE },
    );
    return outcomes.flat();
  };

  const settle = async (items: readonly Item[], remaining: readonly string[]): Promise<void> => {
    await pMap(
      items,
      async ({ due }) => {
        const isOver = remaining.length === 0 || due.attempts >= MOST_ATTEMPTS;
        if (remaining.length > 0 && isOver) metrics.count('NotificationsGivenUp');
        const pause = FIRST_PAUSE_MS * 2 ** (due.attempts - 1);
        await (isOver ? store.finish(due) : store.giveBack(due, remaining, clock.now() + pause));
      },
      { concurrency: ITEMS_AT_ONCE },
    );
  };

  return async (uid, dues) => {
    const claims = await pMap(dues, (due) => store.claim(due, clock.now()), { concurrency: ITEMS_AT_ONCE });
    const claimed = claims.filter((one) => one !== undefined);
    if (claimed.length === 0) return 0;
    const known = await readRecipient(parts, uid);
    const items = await pMap(
      claimed,
      async (due) => ({ due, message: due.how === 'test' ? null : await inbox.read(uid, due.messageId) }),
      { concurrency: ITEMS_AT_ONCE },
    );
    const serials = new Set(items.flatMap(({ message }) => message?.serial ?? []));
    const recipient = { ...known, reader: { ...known.reader, deviceNames: await namesOf(uid, serials) } };
    const targets = await targetsOf(uid, recipient);
    let sent = 0;
    for (const group of together(items, recipient)) {
      // Services were slow: another run may have these by now, and takes them if none has.
      if (group.some(({ due }) => due.claimedUntil <= clock.now())) continue;
      const waits = waitsUntil(group, recipient, clock.now());
      if (waits > clock.now()) {
        await pMap(group, ({ due }) => store.postpone(due, waits), { concurrency: ITEMS_AT_ONCE });
        continue;
      }
      const composition = isWornOut(group) ? undefined : compositionFor(group, recipient);
      const remaining = composition === undefined ? [] : await send(uid, group, composition, targets);
      if (composition !== undefined) sent += 1;
      await settle(group, remaining);
    }
    if (sent > 0) log.debug('Delivered messages', { messages: sent });
    return sent;
  };
}

/** Quiet hours may have begun while services were busy, or were chosen since the delivery's time was decided. */
function waitsUntil(items: readonly Item[], { preferences }: Recipient, now: number): number {
  return Math.max(
    now,
    ...items.map(({ message }) => (message === null ? now : heldBackUntil(message, preferences, now))),
  );
}

/** Whether runs have died over it again and again: those who got the message each time must not get it for ever. */
function isWornOut(items: readonly Item[]): boolean {
  return items.some(({ due }) => due.attempts > MOST_ATTEMPTS);
}

/** Puts a digest's messages together; every other one goes alone, and those that nobody has to be told any more too. */
function together(
  items: readonly { readonly due: ClaimedDue; readonly message: Message | null | undefined }[],
  { isMuted, readUntil }: Recipient,
): readonly (readonly Item[])[] {
  const isOver = ({ message }: (typeof items)[number]) =>
    message === undefined ||
    // Read or not, what is critical is sent: any peer of the account can mark messages.
    (message !== null &&
      (isMuted || (message.severity !== 'critical' && (message.readAt !== null || message.storedAt <= readUntil))));
  const over = items.filter(isOver).map(({ due }) => [{ due, message: null }]);
  const open = items.flatMap((item) => (isOver(item) ? [] : [{ due: item.due, message: item.message ?? null }]));
  const digest = open.filter(({ due }) => due.how === 'digest');
  return [
    ...over,
    ...open.filter(({ due }) => due.how !== 'digest').map((item) => [item]),
    ...(digest.length === 0 ? [] : [digest]),
  ];
}

const WEIGHTS = { critical: 0, danger: 1, warning: 2, info: 3 } as const;

/** What matters most comes first, then what came first. */
function byWeight(a: Message, b: Message): number {
  return WEIGHTS[a.severity] - WEIGHTS[b.severity] || a.storedAt - b.storedAt;
}

/** Returns what each channel says; undefined if there is nothing to say. */
function compositionFor(
  items: readonly Item[],
  { preferences, reader }: Recipient,
): ((channel: Target['channel']) => Composition | undefined) | undefined {
  const [first] = items;
  if (first?.due.how === 'test') return () => composeTest(first.due.messageId, reader);
  const messages = items.flatMap(({ message }) => message ?? []).sort(byWeight);
  if (messages.length === 0) return undefined;
  return (channel) => {
    const [oldest, ...others] = messages.filter(({ kind }) => channelsOf(preferences, kind)[channel]);
    if (oldest === undefined) return undefined;
    return others.length === 0 ? composeOne(oldest, reader) : composeDigest([oldest, ...others], reader);
  };
}
