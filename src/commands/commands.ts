import type { Intent } from '@autowatering/device-data';
import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Services } from '../platform/services.ts';
import {
  type Cancelling,
  canBeProved,
  cancel,
  lookAfter,
  type Report,
  report,
  type Taker,
  type Taking,
  take,
} from './model/carry.ts';
import { type Command, type CommandId, evolve, newCommandId, noted, type Who } from './model/command.ts';
import { type Giving, give, isSameIntent } from './model/give.ts';
import { nextChangeAt, settle, takeable } from './model/queue.ts';
import type { SafetyLimits } from './model/safety.ts';
import { isOpen } from './model/states.ts';
import type { DueStore } from './store/due-store.ts';
import type { Decision, QueueOwner, QueueStore } from './store/queue-store.ts';
import { createTelling, type Told } from './telling.ts';

export interface NewCommand {
  readonly commandKey: string;
  readonly intent: Intent;
  readonly expiresAt: number;
}

export type Given =
  | { readonly outcome: 'given' | 'known'; readonly command: Command }
  | Extract<Giving, { outcome: 'key_used' | 'too_many' | 'exceeded' }>
  | { readonly outcome: 'account_deleted' };

export type Reported =
  | { readonly outcome: 'recorded' | 'late'; readonly command: Command; readonly lookAfter: number | undefined }
  | { readonly outcome: 'not_found' };

/** What became of a command that has expired. */
export type Concluded = 'open' | 'ended' | 'untold';

/** What a device has for a carrier now. */
export interface Offer {
  readonly commands: readonly Command[];
  /** When that may change by itself. */
  readonly changesAt: number | undefined;
}

/** A carrier's lease of a command, and what it says under it. */
export interface CarrierReport {
  readonly commandId: CommandId;
  readonly carrier: Who;
  readonly fence: number;
  readonly report: Report;
}

/** What can be done with the commands of a device that the caller owns. Whatever changes is told to the account. */
export function createCommands(services: Services, store: QueueStore, due: DueStore, told: Told) {
  const { clock, randomness, metrics } = services;
  const telling = createTelling(services, due, told);

  /** Changes the queue and tells what is new. */
  const change = async <T>(
    owner: QueueOwner,
    decide: (queue: Parameters<typeof settle>[0], now: number) => Promise<Decision<T>> | Decision<T>,
    isAlive?: AliveCheck,
  ) => {
    const now = clock.now();
    const changed = await store.change(owner, now, (queue) => decide(queue, now), isAlive);
    if (changed.outcome === 'changed') await telling.tell(owner, changed.changed);
    return changed;
  };

  return {
    async give(
      owner: QueueOwner,
      by: Who,
      wanted: NewCommand,
      limits: SafetyLimits,
      isAlive: AliveCheck,
    ): Promise<Given> {
      const commandId = newCommandId(randomness, clock.now());
      // First: without it nobody would tell that the command expired. One without a command does no harm.
      await due.add(owner, { commandId, expiresAt: wanted.expiresAt });
      const changed = await change<Exclude<Given, { outcome: 'account_deleted' }>>(
        owner,
        async (queue, now) => {
          const giving = give(queue, { commandId, ...wanted }, by, limits, now);
          if (giving.outcome === 'known') return { result: { outcome: 'known', command: giving.command } };
          if (giving.outcome === 'key_used') return { result: giving };
          // Read after the queue: a command is in one of the two.
          const ended = await store.readByKey(owner.uid, owner.hwId, wanted.commandKey);
          if (ended !== undefined) {
            const isSame = isSameIntent(ended.intent, wanted.intent);
            return { result: isSame ? { outcome: 'known', command: ended } : { outcome: 'key_used' } };
          }
          if (giving.outcome !== 'given') return { result: giving };
          return { queue: giving.queue, result: { outcome: 'given', command: giving.command } };
        },
        isAlive,
      );
      if (changed.outcome === 'account_deleted' || changed.result.outcome !== 'given') {
        await due.remove(owner, { commandId, expiresAt: wanted.expiresAt });
      }
      if (changed.outcome === 'account_deleted') return changed;
      // Asked for again, and nothing has happened since: the first one may have died before it was announced.
      if (changed.result.outcome === 'known' && changed.result.command.revision === 1) {
        await telling.again(owner, changed.result.command);
      }
      if (changed.result.outcome === 'given') metrics.count('CommandsGiven', { intent: wanted.intent.kind });
      return changed.result;
    },

    /** As it is now, also when nobody has noticed yet that its time is over. */
    async read({ uid, hwId }: QueueOwner, commandId: CommandId): Promise<Command | undefined> {
      const stored = await store.read(uid, hwId);
      const open = settle(stored?.queue ?? { commands: [], used: [] }, clock.now()).commands;
      return open.find((one) => one.commandId === commandId) ?? (await store.readEnded(uid, hwId, commandId));
    },

    /** Newest first, given before `before`. One more than `limit` if there are more. */
    async list({ uid, hwId }: QueueOwner, limit: number, before: string | undefined): Promise<readonly Command[]> {
      // The queue first: what ends in between is then among both, and not among neither.
      const stored = await store.read(uid, hwId);
      const ended = await store.listEnded(uid, hwId, limit + 1, before);
      const known = new Set(ended.map(({ commandId }) => commandId));
      const open = settle(stored?.queue ?? { commands: [], used: [] }, clock.now()).commands.filter(
        ({ commandId }) => !known.has(commandId) && (before === undefined || commandId < before),
      );
      return [...open, ...ended].sort((a, b) => (a.commandId < b.commandId ? 1 : -1)).slice(0, limit + 1);
    },

    async offer({ uid, hwId }: Pick<QueueOwner, 'uid' | 'hwId'>): Promise<Offer> {
      const now = clock.now();
      const stored = await store.read(uid, hwId);
      if (stored === undefined) return { commands: [], changesAt: undefined };
      const queue = settle(stored.queue, now);
      return { commands: takeable(queue, now), changesAt: nextChangeAt(queue, now) };
    },

    async take(owner: QueueOwner, commandId: CommandId, taker: Taker): Promise<Taking> {
      const changed = await change<Taking>(owner, (queue, now) => {
        const taking = take(queue, commandId, taker, now);
        return taking.outcome === 'taken' ? { queue: taking.queue, result: taking } : { result: taking };
      });
      if (changed.outcome !== 'changed') return { outcome: 'not_found' };
      if (changed.result.outcome !== 'not_found') return changed.result;
      const command = await store.readEnded(owner.uid, owner.hwId, commandId);
      return command === undefined ? changed.result : { outcome: 'over', command };
    },

    async report(owner: QueueOwner, said: CarrierReport): Promise<Reported> {
      const changed = await change<Reported>(owner, (queue, now) => {
        const reporting = report(queue, said.commandId, said, now);
        if (reporting.outcome === 'not_found') return { result: reporting };
        const { outcome, command } = reporting;
        return {
          queue: reporting.queue,
          result: { outcome, command, lookAfter: lookAfter(reporting, now) },
        };
      });
      if (changed.outcome !== 'changed') return { outcome: 'not_found' };
      return changed.result.outcome === 'not_found' ? reportedLate(owner, said) : changed.result;
    },

    async cancel(owner: QueueOwner, commandId: CommandId, by: Who): Promise<Cancelling> {
      const changed = await change<Cancelling>(owner, (queue, now) => {
        const cancelling = cancel(queue, commandId, by, now);
        return cancelling.outcome === 'cancelled'
          ? { queue: cancelling.queue, result: cancelling }
          : { result: cancelling };
      });
      if (changed.outcome !== 'changed') return { outcome: 'not_found' };
      if (changed.result.outcome !== 'not_found') return changed.result;
      const command = await store.readEnded(owner.uid, owner.hwId, commandId);
      return command === undefined ? changed.result : { outcome: 'over', command };
    },

    /**
     * For a command that has expired and whose end may not have been told: does what time alone does to its queue, and
     * makes sure that everybody is told.
     *
     * @returns `untold`: it has to be tried again
     */
    async conclude(owner: QueueOwner, due: Pick<Command, 'commandId' | 'expiresAt'>): Promise<Concluded> {
      const { commandId } = due;
      const changed = await change<Command | undefined>(owner, (queue, now) => {
        const after = settle(queue, now);
        const isSame = after.commands.every((one, at) => one === queue.commands[at]);
        const result = after.commands.find((one) => one.commandId === commandId);
        return isSame ? { result } : { queue: after, result };
      });
      const found = changed.outcome === 'changed' ? changed.result : undefined;
      // It was told with the change, or keeps its reminder.
      if (found !== undefined) return isOpen(found.state) ? 'open' : 'ended';
      return tellEnded(owner, due);
    },
  };

  /** A command that ended before. */
  async function tellEnded(owner: QueueOwner, one: Pick<Command, 'commandId' | 'expiresAt'>): Promise<Concluded> {
    const command = await store.readEnded(owner.uid, owner.hwId, one.commandId);
    if (command !== undefined) return (await telling.again(owner, command)) ? 'ended' : 'untold';
    await due.remove(owner, one);
    return 'ended';
  }

  /** A report about a command that has ended: kept with it, and evidence still counts where nobody knew. */
  async function reportedLate(owner: QueueOwner, said: CarrierReport): Promise<Reported> {
    const command = await store.readEnded(owner.uid, owner.hwId, said.commandId);
    if (command === undefined) return { outcome: 'not_found' };
    const now = clock.now();
    const isProof = said.report.event === 'prove' && said.fence >= 1 && said.fence <= command.fence;
    const isDone = isProof && canBeProved(command);
    const after = isDone
      ? evolve(command, 'prove', said.carrier, now)
      : noted(command, 'late_report', said.carrier, now);
    // A carrier that repeats what ended the command had no answer: whoever took it may have died before telling.
    const isUntold = isDone || (await due.has(owner, command));
    // First, as for a new command.
    if (isDone) await due.add(owner, { commandId: command.commandId, expiresAt: command.expiresAt });
    // Somebody else was faster with another report: then it is that one's.
    const isKept = await store.replaceEnded(owner, command, after);
    if (isKept && isDone) await telling.tell(owner, [{ before: command, command: after }]);
    else if (isUntold) await telling.again(owner, isKept ? after : command);
    return { outcome: after.state === command.state ? 'late' : 'recorded', command: after, lookAfter: undefined };
  }
}

export type Commands = ReturnType<typeof createCommands>;
