import pMap from 'p-map';
import type { Notice, Notify } from '../notifications/index.ts';
import type { Uid } from '../platform/ids.ts';
import type { Services } from '../platform/services.ts';
import type { Announce } from '../relay/index.ts';
import { shownCommand } from './command-fields.ts';
import type { Command } from './model/command.ts';
import type { CommandState } from './model/states.ts';
import type { QueueOwner } from './store/queue-store.ts';

/** The account's stream on which commands are announced. */
export const COMMANDS_STREAM = 'commands';
/** Peers that were away for longer ask the API. */
const ANNOUNCED_S = 7 * 24 * 60 * 60;
const TOLD_AT_ONCE = 5;

/** Ends that the owner did not cause and may not be looking at. */
const NOTICED: readonly CommandState[] = ['failed', 'expired', 'dropped', 'refused'];

export interface Told {
  readonly announce: Announce;
  readonly notify: Notify;
}

/**
 * Tells the account's peers what is new of commands, and the owner what came to nothing. Never fails: what is told is
 * stored, and can be asked for.
 */
export function createTelling({ metrics, log }: Pick<Services, 'metrics' | 'log'>, { announce, notify }: Told) {
  const noticed = async (uid: Uid, notices: readonly Notice[]): Promise<void> => {
    if (notices.length === 0) return;
    try {
      await notify(uid, notices);
    } catch (error) {
      log.error('The owner could not be notified of a command', {}, error);
    }
  };

  const tell = async (owner: QueueOwner, changed: readonly Command[]): Promise<void> => {
    const news = changed.filter(isNews);
    for (const { intent, state, endedAt, createdAt } of news) {
      if (endedAt === null) continue;
      metrics.count('CommandsEnded', { intent: intent.kind, state });
      if (state === 'done') metrics.duration('CommandDoneMs', endedAt - createdAt, { intent: intent.kind });
    }
    await Promise.all([
      pMap(news, (command) => announce(owner.uid, COMMANDS_STREAM, announcementOf(owner, command)), {
        concurrency: TOLD_AT_ONCE,
      }),
      noticed(
        owner.uid,
        news.filter(({ state }) => NOTICED.includes(state)).map((command) => noticeOf(owner, command)),
      ),
    ]);
  };

  return {
    tell,
    /** Only the notice, which is one however often it is given. @throws whatever `notify` does */
    async again(owner: QueueOwner, command: Command): Promise<void> {
      if (NOTICED.includes(command.state)) await notify(owner.uid, [noticeOf(owner, command)]);
    },
  };
}

/** Everything but who has it at the moment: that is for carriers, who ask. */
function isNews({ audit }: Command): boolean {
  const last = audit.at(-1)?.step;
  return last !== 'take' && last !== 'renew' && last !== 'late_report' && last !== 'overtaken';
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
