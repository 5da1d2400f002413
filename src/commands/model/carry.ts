import { type Command, type CommandId, evolve, type Lease, noted, type Reason, type Who } from './command.ts';
import { lookedTooEarly, type Queue, settle, takeable, withCommand } from './queue.ts';
import { isOpen } from './states.ts';

/** How long a carrier has a command, unless it renews the lease. */
export const LEASE_MS = 60_000;
/** Somebody may watch a device for so long after a command has expired that it was told in time. */
const WATCHED_MS = 5 * 60_000;
/** A device that was busy is looked at again after this time. */
export const WAIT_MS = 20_000;

export type Taking =
  | { readonly outcome: 'taken'; readonly queue: Queue; readonly command: Command; readonly until: number }
  | { readonly outcome: 'held'; readonly until: number }
  | { readonly outcome: 'not_next' }
  | { readonly outcome: 'over'; readonly command: Command }
  | { readonly outcome: 'not_found' };

/** Who takes a command, and in which try. */
export type Taker = Pick<Lease, 'carrier' | 'attempt'>;

/**
 * Takes a lease, or renews the carrier's own. A request that is repeated in the same try is a renewal: its answer may have
 * been lost. In another try the carrier, or another copy of it, may have written and not know it: it waits like everybody.
 */
export function take(before: Queue, commandId: CommandId, { carrier, attempt }: Taker, now: number): Taking {
  const queue = settle(before, now);
  const command = queue.commands.find((one) => one.commandId === commandId);
  if (command === undefined) return { outcome: 'not_found' };
  if (!isOpen(command.state)) return { outcome: 'over', command };
  const until = endOfLease(command, now);
  if (command.lease !== null) {
    const isOwn = command.lease.carrier === carrier && command.lease.attempt === attempt;
    if (!isOwn || command.isOvertaken || until <= now) {
      return { outcome: 'held', until: command.lease.until };
    }
    const renewed = { ...noted(command, 'renew', carrier, now), lease: { carrier, attempt, until } };
    return { outcome: 'taken', queue: withCommand(queue, renewed), command: renewed, until };
  }
  if (!takeable(queue, now).some((one) => one.commandId === commandId)) return { outcome: 'not_next' };
  const taken = evolve(command, 'take', carrier, now, {
    fence: command.fence + 1,
    lease: { carrier, attempt, until },
    firstTakenAt: command.firstTakenAt ?? now,
  });
  return { outcome: 'taken', queue: withCommand(queue, taken), command: taken, until };
}

function endOfLease({ state, expiresAt }: Command, now: number): number {
  return Math.min(now + LEASE_MS, state === 'delivered' ? expiresAt + WATCHED_MS : expiresAt);
}

/** What a carrier says, after what it saw was judged. */
export type Report =
  | { readonly event: 'deliver' }
  | { readonly event: 'prove' }
  | { readonly event: 'refuse'; readonly reason: Reason }
  | { readonly event: 'see_nothing'; readonly reason: Reason }
  | { readonly event: 'lose_track' }
  | { readonly event: 'give_up'; readonly wrote: 'no' | 'maybe'; readonly isDeviceBusy: boolean };

export type Reporting =
  | { readonly outcome: 'recorded' | 'late'; readonly queue: Queue; readonly command: Command }
  | { readonly outcome: 'not_found' };

/**
 * Records a carrier's report under the lease it names. One that comes late, or under a lease that somebody else has since,
 * decides nothing, but evidence is evidence whoever brings it; except of a stop, where what was seen before may have
 * changed since.
 */
export function report(
  before: Queue,
  commandId: CommandId,
  { fence, carrier, report: said }: { readonly fence: number; readonly carrier: Who; readonly report: Report },
  now: number,
): Reporting {
  const queue = settle(before, now);
  const command = queue.commands.find((one) => one.commandId === commandId);
  if (command === undefined) return { outcome: 'not_found' };
  const isHeld = command.lease?.carrier === carrier && command.fence === fence;
  if (!isOpen(command.state) || !isHeld) {
    const isProof = said.event === 'prove' && command.intent.kind !== 'stop' && fence >= 1 && fence <= command.fence;
    const changed = isProof && canBeProved(command) ? evolve(command, 'prove', carrier, now) : undefined;
    const late = changed ?? noted(command, 'late_report', carrier, now);
    const queueAfter = lookedTooEarly(queue, withCommand(queue, late), now);
    return { outcome: changed === undefined ? 'late' : 'recorded', queue: queueAfter, command: late };
  }
  const next = applied(command, said, carrier, command.intent.kind === 'stop' && lastOvertaken(queue) > now, now);
  const settledQueue = settle(lookedTooEarly(queue, withCommand(queue, next), now), now);
  const found = settledQueue.commands.find((one) => one.commandId === commandId) ?? next;
  return { outcome: 'recorded', queue: settledQueue, command: found };
}

/** Open, or failed because nobody knew what became of it. */
export function canBeProved({ state, reason }: Command): boolean {
  return isOpen(state) || (state === 'failed' && reason === 'outcome_unknown');
}

/**
 * For a stop: until then somebody may still start what it overtook, so that what is seen before proves nothing. A report
 * under a lease that ended for this reason is to be followed by another look at once. Undefined: nobody can.
 */
export function lookAfter(
  { outcome, queue, command }: Exclude<Reporting, { outcome: 'not_found' }>,
  now: number,
): number | undefined {
  if (command.intent.kind !== 'stop' || !isOpen(command.state)) return undefined;
  const last = lastOvertaken(queue);
  if (last > now) return last;
  return outcome === 'late' ? now : undefined;
}

/** When the last carrier's time is over that has what a stop overtook. */
function lastOvertaken({ commands }: Queue): number {
  return Math.max(0, ...commands.map(({ isOvertaken, lease }) => (isOvertaken ? (lease?.until ?? 0) : 0)));
}

function applied(command: Command, said: Report, carrier: Who, isTooEarly: boolean, now: number): Command {
  switch (said.event) {
    case 'prove':
      return evolve(command, isTooEarly ? 'deliver' : 'prove', carrier, now, { mayHaveBeenWritten: true });
    case 'deliver':
      return evolve(command, 'deliver', carrier, now, { mayHaveBeenWritten: true });
    case 'refuse':
    case 'see_nothing':
      return evolve(command, said.event, carrier, now, { reason: said.reason });
    case 'lose_track':
      return evolve(command, 'lose_track', carrier, now, { reason: 'outcome_unknown' });
    case 'give_up':
      return evolve(command, 'give_up', carrier, now, {
        mayHaveBeenWritten: command.mayHaveBeenWritten || said.wrote === 'maybe' || command.state === 'delivered',
        ...(said.isDeviceBusy && { waitUntil: now + WAIT_MS }),
      });
  }
}

export type Cancelling =
  | { readonly outcome: 'cancelled'; readonly queue: Queue; readonly command: Command }
  | { readonly outcome: 'under_way'; readonly until: number }
  | { readonly outcome: 'over'; readonly command: Command }
  | { readonly outcome: 'not_found' };

/** Only what nobody carries can be cancelled; watering that is under way can be stopped. */
export function cancel(before: Queue, commandId: CommandId, by: Who, now: number): Cancelling {
  const queue = settle(before, now);
  const command = queue.commands.find((one) => one.commandId === commandId);
  if (command === undefined) return { outcome: 'not_found' };
  if (!isOpen(command.state)) return { outcome: 'over', command };
  if (command.lease !== null) return { outcome: 'under_way', until: command.lease.until };
  const cancelled = evolve(command, 'cancel', by, now, { reason: 'by_owner' });
  return { outcome: 'cancelled', queue: settle(withCommand(queue, cancelled), now), command: cancelled };
}
