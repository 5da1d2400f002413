import type { Intent } from '@autowatering/device-data';
import type { AliveCheck } from '../platform/aws/dynamo.ts';
import type { Services } from '../platform/services.ts';
import { type CarrierReport, type Concluded, createEndedCommands, type Reported } from './ended-commands.ts';
import { type Cancelling, cancel, lookAfter, report, type Taker, type Taking, take } from './model/carry.ts';
import { type Command, type CommandId, newCommandId, type Who } from './model/command.ts';
import { type Giving, give, isSameIntent } from './model/give.ts';
import { EMPTY_QUEUE, nextChangeAt, ofThisOwnership, type Queue, settle, takeable } from './model/queue.ts';
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

/** What a device has for a carrier now. */
export interface Offer {
  readonly commands: readonly Command[];
  /** When that may change by itself. */
  readonly changesAt: number | undefined;
}

/** What can be done with the commands of a device that the caller owns. Whatever changes is told to the account. */
export function createCommands(services: Services, store: QueueStore, due: DueStore, told: Told) {
  const { clock, randomness, metrics } = services;
  const telling = createTelling(services, due, told);
  const ended = createEndedCommands({ store, due, telling, clock });

  /** Changes the queue and tells what is new. */
  const change = async <T>(
    owner: QueueOwner,
    decide: (queue: Queue, now: number) => Promise<Decision<T>> | Decision<T>,
    isAlive?: AliveCheck,
  ) => {
    const now = clock.now();
    const changed = await store.change(
      owner,
      now,
      (queue) => decide(ofThisOwnership(queue, owner.ownedSince ?? 0, now), now),
      isAlive,
    );
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
          const known = await store.readByKey(owner.uid, owner.hwId, wanted.commandKey);
          if (known !== undefined) {
            const isSame = isSameIntent(known.intent, wanted.intent);
            return { result: isSame ? { outcome: 'known', command: known } : { outcome: 'key_used' } };
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
    async read(owner: QueueOwner, commandId: CommandId): Promise<Command | undefined> {
      const { uid, hwId } = owner;
      const stored = await store.read(uid, hwId);
      const open = own(owner, stored?.queue ?? EMPTY_QUEUE, clock.now()).commands;
      return open.find((one) => one.commandId === commandId) ?? (await store.readEnded(uid, hwId, commandId));
    },

    /** Newest first, given before `before`. One more than `limit` if there are more. */
    async list(owner: QueueOwner, limit: number, before: string | undefined): Promise<readonly Command[]> {
      const { uid, hwId } = owner;
      // The queue first: what ends in between is then among both, and not among neither.
      const stored = await store.read(uid, hwId);
      const over = await store.listEnded(uid, hwId, limit + 1, before);
      const known = new Set(over.map(({ commandId }) => commandId));
      const open = own(owner, stored?.queue ?? EMPTY_QUEUE, clock.now()).commands.filter(
        ({ commandId }) => !known.has(commandId) && (before === undefined || commandId < before),
      );
      return [...open, ...over].sort((a, b) => (a.commandId < b.commandId ? 1 : -1)).slice(0, limit + 1);
    },

    async offer(owner: QueueOwner): Promise<Offer> {
      const now = clock.now();
      const stored = await store.read(owner.uid, owner.hwId);
      if (stored === undefined) return { commands: [], changesAt: undefined };
      const queue = own(owner, stored.queue, now);
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
      return changed.result.outcome === 'not_found' ? ended.report(owner, said) : changed.result;
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
      return ended.tell(owner, due);
    },
  };
}

/** The queue as it is now, without what was given before the device was the account's. */
function own({ ownedSince = 0 }: QueueOwner, queue: Queue, now: number): Queue {
  return settle(ofThisOwnership(queue, ownedSince, now), now);
}

export type Commands = ReturnType<typeof createCommands>;
