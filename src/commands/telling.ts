import pMap from 'p-map';
import type { Notice, Notify } from '../notifications/index.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import type { Announce } from '../relay/index.ts';
import { shownCommand } from './command-fields.ts';
import type { Command } from './model/command.ts';
import type { CommandState } from './model/states.ts';
import type { DueStore } from './store/due-store.ts';
import type { ChangedCommand, QueueOwner } from './store/queue-store.ts';

/** The account's stream on which commands are announced. */
export const COMMANDS_STREAM = 'commands';
/** Peers that were away for longer ask the API. */
const ANNOUNCED_S = 7 * 24 * 60 * 60;
const TOLD_AT_ONCE = 5;

/** Ends that the owner did not cause and may not be looking at. */
const NOTICED: readonly CommandState[] = ['failed', 'expired', 'dropped', 'refused'];

/** What the alarm on failing commands counts: not what a device had reason to refuse, nor what nobody came for. */
const CAME_TO_A_DEVICE: readonly CommandState[] = ['done', 'dropped', 'failed'];

export interface Told {
  readonly announce: Announce;
  readonly notify: Notify;
}

/**
 * Tells the account's peers what is new of commands, and the owner what came to nothing, or was done after all. Never
 * fails: a command that has ended keeps its reminder until everybody was told, and the work by time tells what still
 * has one.
 */
export function createTelling(
  { metrics, log }: Pick<Services, 'metrics' | 'log'>,
  due: Pick<DueStore, 'remove'>,
  { announce, notify }: Told,
) {
  const noticed = async (uid: Uid, notices: readonly Notice[]): Promise<boolean> => {
    if (notices.length === 0) return true;
    try {
      await notify(uid, notices);
      return true;
    } catch (error) {
      log.error('The owner could not be notified of a command', {}, error);
      return false;
    }
  };

  const forgotten = async (owner: QueueOwner, command: Command): Promise<void> => {
    try {
      await due.remove(owner, command);
    } catch (error) {
      log.warn('The reminder of a command stays, and it will be told again', {}, error);
    }
  };

  /** @returns whether all of them were told */
  const tellAll = async (owner: QueueOwner, changes: readonly ChangedCommand[]): Promise<boolean> => {
    const news = changes.map(({ command }) => command);
    const notices = new Map(changes.flatMap((change) => noticeFor(owner, change)));
    const [isNoticed, announced] = await Promise.all([
      noticed(owner.uid, [...notices.values()]),
      pMap(
        news,
        async (command) => ({
          command,
          isAnnounced: await announce(owner.uid, COMMANDS_STREAM, announcementOf(owner, command)),
        }),
        { concurrency: TOLD_AT_ONCE },
      ),
    ]);
    const isTold = announced.map(({ command, isAnnounced }) => isAnnounced && (isNoticed || !notices.has(command)));
    const over = news.filter(({ endedAt }, at) => endedAt !== null && isTold[at]);
    await pMap(over, (command) => forgotten(owner, command), { concurrency: TOLD_AT_ONCE });
    return isTold.every((is) => is);
  };

  return {
    /** What a change brought. */
    async tell(owner: QueueOwner, changed: readonly ChangedCommand[]): Promise<void> {
      const news = changed.filter(isNews);
      for (const { command } of news) {
        const { intent, state, endedAt, createdAt } = command;
        if (endedAt === null) continue;
        metrics.count('CommandsEnded', { intent: intent.kind, state });
        if (CAME_TO_A_DEVICE.includes(state)) metrics.count('CommandOutcomes', { state });
        if (state === 'done') metrics.duration('CommandDoneMs', endedAt - createdAt, { intent: intent.kind });
      }
      await tellAll(owner, news);
    },

    /** A command whose change may not have been told. What was told already is the same event, and the same notice. */
    again: (owner: QueueOwner, command: Command): Promise<boolean> => tellAll(owner, [{ before: undefined, command }]),
  };
}

export type Telling = ReturnType<typeof createTelling>;

/** Everything but who has it at the moment: that is for carriers, who ask. */
function isNews({ before, command }: ChangedCommand): boolean {
  if (before === undefined) return true;
  return (before.state !== command.state && command.state !== 'leased') || before.reason !== command.reason;
}

function announcementOf({ serial }: QueueOwner, command: Command) {
  return {
    eventId: `${command.commandId}-${command.revision}`,
    type: 'command.changed',
    key: `${serial}/${command.commandId}`,
    payload: { ...shownCommand(serial, command) },
    ttlSeconds: ANNOUNCED_S,
  };
}

/** What the owner is told of a change, by the command; nothing of what they caused or wanted. */
function noticeFor(owner: QueueOwner, change: ChangedCommand): readonly (readonly [Command, Notice])[] {
  const { command } = change;
  if (NOTICED.includes(command.state)) return [[command, noticeOf(owner, command)]];
  if (!isCorrection(change)) return [];
  const { cause, ...notice } = noticeOf(owner, command);
  // A message of its own: the first one may have been read.
  return [[command, { ...notice, topic: 'done-after-all', severity: 'info', cause: `${cause}:done` }]];
}

/** Evidence came after the owner was told that nobody knows. */
function isCorrection({ before, command: { state, audit } }: ChangedCommand): boolean {
  const hadFailed = before === undefined || before.state === 'failed';
  return state === 'done' && hadFailed && audit.some(({ step }) => step === 'lose_track');
}

function noticeOf({ serial }: QueueOwner, { commandId, intent, state, reason, endedAt, createdAt }: Command): Notice {
  return {
    kind: 'command',
    topic: state,
    severity: 'warning',
    cause: `command:${serial}:${commandId}`,
    at: endedAt ?? createdAt,
    serial,
    facts: {
      command: intent.kind.replaceAll('_', '-'),
      ...('channel' in intent && { channel: intent.channel }),
      ...(reason !== null && { reason }),
    },
  };
}
