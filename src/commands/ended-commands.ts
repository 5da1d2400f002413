import type { Clock } from '../platform/clock.ts';
import { canBeProved, type Report } from './model/carry.ts';
import { type Command, type CommandId, evolve, noted, type Who } from './model/command.ts';
import type { DueStore } from './store/due-store.ts';
import type { QueueOwner, QueueStore } from './store/queue-store.ts';
import type { Telling } from './telling.ts';

/** A carrier's lease of a command, and what it says under it. */
export interface CarrierReport {
  readonly commandId: CommandId;
  readonly carrier: Who;
  readonly fence: number;
  readonly report: Report;
}

export type Reported =
  | { readonly outcome: 'recorded' | 'late'; readonly command: Command; readonly lookAfter: number | undefined }
  | { readonly outcome: 'not_found' };

/** What became of a command that has expired. */
export type Concluded = 'open' | 'ended' | 'untold';

interface Parts {
  readonly store: QueueStore;
  readonly due: DueStore;
  readonly telling: Telling;
  readonly clock: Clock;
}

/** What may still happen to commands that have ended: late reports, and telling of the end. */
export function createEndedCommands({ store, due, telling, clock }: Parts) {
  return {
    /** Makes sure that everybody was told. */
    async tell(owner: QueueOwner, one: Pick<Command, 'commandId' | 'expiresAt'>): Promise<Concluded> {
      const command = await store.readEnded(owner.uid, owner.hwId, one.commandId);
      if (command !== undefined) return (await telling.again(owner, command)) ? 'ended' : 'untold';
      await due.remove(owner, one);
      return 'ended';
    },

    /** A report about a command that has ended: kept with it, and evidence still counts where nobody knew. */
    async report(owner: QueueOwner, said: CarrierReport): Promise<Reported> {
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
      // Somebody else may be faster with another report: then it is that one's, and the reminder stays meanwhile.
      const isKept = await store.replaceEnded(owner, command, after);
      if (isKept && isDone) await telling.tell(owner, [{ before: command, command: after }]);
      else if (isKept && isUntold) await telling.again(owner, after);
      return { outcome: after.state === command.state ? 'late' : 'recorded', command: after, lookAfter: undefined };
    },
  };
}
