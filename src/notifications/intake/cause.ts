import type { Notice, NoticeKind } from '../notice.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/**
 * How long nothing may be heard of a cause before its next report is a new message. Alarms repeat while they last, at most
 * an hour apart (device sheet, §2.6), and phones are near only now and then.
 */
const QUIET_MS: Readonly<Record<NoticeKind, number>> = {
  alarm: 6 * HOUR_MS,
  lock: 12 * HOUR_MS,
  leak: 12 * HOUR_MS,
  no_flow: 12 * HOUR_MS,
  frost: 12 * HOUR_MS,
  unheard: 7 * DAY_MS,
  history_at_risk: 7 * DAY_MS,
  insight: 7 * DAY_MS,
  update: 30 * DAY_MS,
  subscription: 3 * DAY_MS,
  new_peer: 30 * DAY_MS,
  command: 30 * DAY_MS,
};

/** For how long a cause is remembered after it was last heard of: longer than any quiet period. */
export const REMEMBERED_MS = 40 * DAY_MS;

/** While a cause goes on, it is noted at most this often per quiet period: reports in between cost one read. */
const NOTES_PER_QUIET_PERIOD = 4;

/**
 * What a report of a cause is: `new` is told, `going_on` only noted, `known` nothing at all.
 *
 * @param lastAt when the cause was last noted, by the reports' own times; undefined if never
 */
export function judge(
  { kind, at }: Pick<Notice, 'kind' | 'at'>,
  lastAt: number | undefined,
): 'new' | 'going_on' | 'known' {
  if (lastAt === undefined || at > lastAt + QUIET_MS[kind]) return 'new';
  return at > lastAt + QUIET_MS[kind] / NOTES_PER_QUIET_PERIOD ? 'going_on' : 'known';
}
