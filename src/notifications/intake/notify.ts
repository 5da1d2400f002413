import pMap from 'p-map';
import type { Uid } from '../../platform/ids.ts';
import { createWhileOvertaken, OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import { deliveryTime } from '../delivery/delivery-time.ts';
import type { Due } from '../delivery/due.ts';
import type { Message } from '../inbox/message.ts';
import type { Notice, Notify } from '../notice.ts';
import { inZone, type Preferences, type ReadZone } from '../settings/preferences.ts';
import type { SettingsStore } from '../settings/settings-store.ts';
import { dueKey, noticeId } from '../table-keys.ts';
import { judge } from './cause.ts';
import { byCause, type CauseReports } from './cause-reports.ts';
import { FLOOD_MS, isFlood } from './flood.ts';
import type { IntakeStore } from './intake-store.ts';

/** Tells whoever delivers that something is due now. Failing is no harm: the regular run finds it. */
export type Nudge = (due: readonly Due[]) => Promise<void>;

export interface NotifyParts {
  readonly intake: IntakeStore;
  readonly settings: Pick<SettingsStore, 'read'>;
  readonly zoneOf: ReadZone;
  readonly nudge: Nudge;
}

const CAUSES_AT_ONCE = 5;
const MOST_CAUSE = 200;

/**
 * Takes notices in: one message per cause, however often it is reported. A cause that goes on costs a read, and now and
 * then a write; a new one is stored with its message and its delivery in one transaction.
 */
export function createIntake(
  { clock, log, metrics, randomness }: Pick<Services, 'clock' | 'log' | 'metrics' | 'randomness'>,
  { intake, settings, zoneOf, nudge }: NotifyParts,
): Notify {
  const whileOvertaken = createWhileOvertaken(randomness);

  /** Whether an account is told too much already; remembers it for the call, so that a flood costs little. */
  const floodOf = (uid: Uid, now: number) => {
    const flooding = new Set<string>();
    return async (notice: Notice): Promise<boolean> => {
      const name = `${notice.serial}#${notice.severity}`;
      if (flooding.has(name)) return true;
      const isOne = isFlood(notice, await intake.toldSince(uid, now - FLOOD_MS));
      if (isOne) flooding.add(name);
      return isOne;
    };
  };

  /** @returns what is due for the message; undefined if the cause was told of before, or too much was */
  const take = (
    uid: Uid,
    { first: notice, latestAt }: CauseReports,
    isTooMuch: ReturnType<typeof floodOf>,
    now: number,
  ): Promise<Due | undefined> =>
    whileOvertaken('a cause', async () => {
      const { kind } = notice;
      const knownAt = await intake.lastAt(uid, notice);
      if (judge(notice, knownAt) !== 'new') {
        const isNoted = judge({ kind, at: latestAt }, knownAt) === 'known';
        if (!isNoted) await intake.noteGoingOn(uid, notice, latestAt);
        metrics.count('Notices', { kind, outcome: 'known' });
        return undefined;
      }
      if (await isTooMuch(notice)) {
        metrics.count('Notices', { kind, outcome: 'flood' });
        return undefined;
      }
      const { cause: _, ...told } = notice;
      const messageId = noticeId(now, randomness.id());
      const message: Message = { ...told, messageId, storedAt: now, readAt: null };
      const { preferences } = await settings.read(uid);
      const due = dueFor(uid, message, await inZone(preferences, uid, zoneOf));
      const outcome = await intake.store(uid, { notice, knownAt, latestAt, message, due });
      if (outcome === 'overtaken') return OVERTAKEN;
      if (outcome === 'account_deleted') return undefined;
      metrics.count('Notices', { kind, outcome: 'told' });
      if (due !== undefined && due.dueAt > now) metrics.count('NoticesHeldBack', { how: due.how });
      return due;
    });

  return async (uid, notices) => {
    const now = clock.now();
    const isTooMuch = floodOf(uid, now);
    const taken = await pMap(
      byCause(notices.map((notice) => bounded(notice, now))),
      async (episodes) => {
        const dues: Due[] = [];
        // In the order of time: a later episode is new only after the one before it.
        for (const reports of episodes) {
          const due = await take(uid, reports, isTooMuch, now);
          if (due !== undefined) dues.push(due);
        }
        return dues;
      },
      { concurrency: CAUSES_AT_ONCE },
    );
    const urgent = taken.flat().filter(({ dueAt }) => dueAt <= now);
    if (urgent.length === 0) return;
    await nudge(urgent).catch((error: unknown) => {
      log.warn('Messages are stored, but their delivery waits for the next run', { messages: urgent.length }, error);
    });
  };
}

function dueFor(uid: Uid, message: Message, preferences: Preferences): Due | undefined {
  const { messageId, storedAt } = message;
  const time = deliveryTime(message, preferences, storedAt);
  if (time.how === 'inbox_only') return undefined;
  const { dueAt, how } = time;
  return { key: dueKey(dueAt, uid, messageId), uid, messageId, dueAt, how };
}

/** A phone's clock may be ahead: what it reports would hide what really comes later. */
function bounded(notice: Notice, now: number): Notice {
  return { ...notice, at: Math.min(notice.at, now), cause: notice.cause.slice(0, MOST_CAUSE) };
}
