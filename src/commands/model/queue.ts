import { isWatering } from '@autowatering/device-data';
import { type Command, type CommandId, evolve } from './command.ts';
import { isOpen } from './states.ts';

/** The commands of one device, in the order in which they are to be carried. Ended ones are about to leave it. */
export interface Queue {
  readonly commands: readonly Command[];
  /** What was asked for in the last 24 hours, unless it certainly did not happen. */
  readonly used: readonly Usage[];
}

export interface Usage {
  readonly commandId: CommandId;
  readonly channel: number;
  /** When it was asked for. */
  readonly at: number;
  readonly minutes: number;
  readonly litres: number;
}

export const EMPTY_QUEUE: Queue = { commands: [], used: [] };
export const DAY_MS = 24 * 60 * 60 * 1000;
/** A skipped run is watched for from this long before it is due. */
const SKIP_FROM_MS = 60_000;

/** Replaces the command of the same id. */
export function withCommand(queue: Queue, changed: Command): Queue {
  return {
    ...queue,
    commands: queue.commands.map((command) => (command.commandId === changed.commandId ? changed : command)),
  };
}

/**
 * What time alone does: leases run out, commands expire. The result does not depend on when it is asked for, so it can be
 * found when somebody looks.
 */
export function settle(queue: Queue, now: number): Queue {
  const ended = queue.commands.flatMap(({ isOvertaken, lease }) =>
    isOvertaken && lease !== null && lease.until <= now ? [lease.until] : [],
  );
  const looked = ended.length === 0 ? queue.commands : withoutLooks(queue.commands, Math.max(...ended));
  const commands = looked.map((command) => settled(command, now));
  return {
    commands,
    used: queue.used.filter(
      ({ at, commandId }) =>
        at > now - DAY_MS && !isCertainlyUnused(commands.find((one) => one.commandId === commandId)),
    ),
  };
}

/**
 * Ends what was given before the device came, or came back, to its owner: it was meant for another place or time. What a
 * carrier has ends with its lease.
 */
export function ofThisOwnership(before: Queue, ownedSince: number, now: number): Queue {
  const isOlder = ({ createdAt }: Command) => createdAt < ownedSince;
  if (!before.commands.some(isOlder)) return before;
  const queue = settle(before, now);
  const commands = queue.commands.map((command) =>
    isOlder(command) && command.state === 'queued'
      ? unfinished(command, Math.max(ownedSince, lastOf(command)))
      : command,
  );
  return { ...queue, commands };
}

/**
 * When a carrier no longer has what a stop overtook, it may have started it until just before, and what was seen of the
 * stop may be older. The stop's lease ends, so that it is looked at again.
 */
export function lookedTooEarly(before: Queue, after: Queue, now: number): Queue {
  const had = before.commands.filter(({ isOvertaken, lease }) => isOvertaken && lease !== null);
  const hasEnded = had.some(({ commandId }) => {
    const command = after.commands.find((one) => one.commandId === commandId);
    return command?.lease == null && !isUnwritten(command);
  });
  return hasEnded ? { ...after, commands: withoutLooks(after.commands, now) } : after;
}

function isUnwritten(command: Command | undefined): boolean {
  return command !== undefined && !command.mayHaveBeenWritten && command.state !== 'done';
}

function withoutLooks(commands: readonly Command[], at: number): readonly Command[] {
  return commands.map((command) =>
    command.intent.kind === 'stop' && command.lease !== null && command.lease.until > at
      ? evolve(command, 'lease_over', 'service', at, { mayHaveBeenWritten: true })
      : command,
  );
}

function settled(given: Command, now: number): Command {
  let command = given;
  if (command.lease !== null && command.lease.until <= now) {
    const { carrier, until } = command.lease;
    command = evolve(command, 'lease_over', carrier, until, { mayHaveBeenWritten: true });
  }
  if (command.state !== 'queued') return command;
  if (command.isOvertaken) return evolve(command, 'cancel', 'service', lastOf(command), { reason: 'stopped' });
  return command.expiresAt > now ? command : unfinished(command, Math.max(command.expiresAt, lastOf(command)));
}

/** Its time is over. */
function unfinished(command: Command, at: number): Command {
  return command.mayHaveBeenWritten
    ? evolve(command, 'lose_track', 'service', at, { reason: 'outcome_unknown' })
    : evolve(command, 'expire', 'service', at, { reason: 'nobody_came' });
}

function lastOf({ audit, createdAt }: Command): number {
  return audit.at(-1)?.at ?? createdAt;
}

/** Nothing of it can have reached the device, or the device refused it, or dropped it. */
function isCertainlyUnused(command: Command | undefined): boolean {
  if (command === undefined) return false;
  const { state, mayHaveBeenWritten } = command;
  return (
    state === 'refused' ||
    state === 'dropped' ||
    (!mayHaveBeenWritten && (state === 'expired' || state === 'cancelled'))
  );
}

/**
 * The commands that a carrier may take now, best first. A stop may always be taken. Otherwise a device has one carrier at a
 * time and its commands keep their order, except that one which waits for an idle device lets others pass, only not others
 * that water.
 */
export function takeable(queue: Queue, now: number): readonly Command[] {
  const open = queue.commands.filter(({ state }) => isOpen(state));
  const stops = open.filter(({ intent, state }) => intent.kind === 'stop' && state === 'queued');
  if (stops.length > 0) return stops.slice(0, 1);
  if (open.some(({ state }) => state !== 'queued')) return [];
  let isWateringHeldBack = false;
  for (const command of open) {
    const { intent, waitUntil } = command;
    if (intent.kind === 'skip_next' && intent.at - SKIP_FROM_MS > now) continue;
    if (isWatering(intent) && isWateringHeldBack) continue;
    if (waitUntil <= now) return [command];
    if (isWatering(intent)) isWateringHeldBack = true;
  }
  return [];
}

/** When `takeable` may change by itself; undefined: never. */
export function nextChangeAt(queue: Queue, now: number): number | undefined {
  const times = queue.commands.flatMap(({ state, lease, waitUntil, intent }) => {
    if (!isOpen(state)) return [];
    if (lease !== null) return [lease.until];
    return [Math.max(waitUntil, intent.kind === 'skip_next' ? intent.at - SKIP_FROM_MS : 0)];
  });
  const later = times.filter((time) => time > now);
  return later.length === 0 ? undefined : Math.min(...later);
}
