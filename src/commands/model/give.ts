import { type Intent, isWatering } from '@autowatering/device-data';
import { type Command, evolve, newCommand, noted, type Who } from './command.ts';
import { type Queue, settle } from './queue.ts';
import { amountOf, type Exceeded, exceeded, type SafetyLimits } from './safety.ts';
import { isOpen } from './states.ts';

/** Open commands of one device. Stops have room of their own. */
export const MOST_OPEN = 10;
const MOST_STOPS = 3;

export type Giving =
  | { readonly outcome: 'given'; readonly queue: Queue; readonly command: Command }
  | { readonly outcome: 'known'; readonly queue: Queue; readonly command: Command }
  | { readonly outcome: 'key_used' }
  | { readonly outcome: 'too_many' }
  | { readonly outcome: 'exceeded'; readonly exceeded: Exceeded };

/**
 * Adds a command at the end of its device's queue. A stop goes to the front, cancels what would make water flow, and
 * marks what a carrier has already: that ends when its carrier says so, or its time is over.
 */
export function give(
  before: Queue,
  given: Pick<Command, 'commandId' | 'commandKey' | 'intent' | 'expiresAt'>,
  by: Who,
  limits: SafetyLimits,
  now: number,
): Giving {
  const queue = settle(before, now);
  const known = before.commands.find(({ commandKey }) => commandKey === given.commandKey);
  if (known !== undefined) {
    const command = queue.commands.find(({ commandId }) => commandId === known.commandId) ?? known;
    return isSameIntent(known.intent, given.intent) ? { outcome: 'known', queue, command } : { outcome: 'key_used' };
  }
  const open = queue.commands.filter(({ state }) => isOpen(state));
  const isStop = given.intent.kind === 'stop';
  const alike = open.filter(({ intent }) => (intent.kind === 'stop') === isStop);
  if (alike.length >= (isStop ? MOST_STOPS : MOST_OPEN)) return { outcome: 'too_many' };
  const over = exceeded(given.intent, queue.used, limits, now);
  if (over !== undefined) return { outcome: 'exceeded', exceeded: over };
  const command = newCommand(given, by, now);
  if (!isStop) {
    const used = given.intent.kind === 'water' ? [usageOf(command, given.intent)] : [];
    return {
      outcome: 'given',
      queue: { commands: [...queue.commands, command], used: [...queue.used, ...used] },
      command,
    };
  }
  const overtaken = queue.commands.map((one) => overtake(one, by, now));
  const stops = overtaken.filter(({ intent }) => intent.kind === 'stop');
  const others = overtaken.filter(({ intent }) => intent.kind !== 'stop');
  return {
    outcome: 'given',
    queue: settle({ commands: [...stops, command, ...others], used: queue.used }, now),
    command,
  };
}

function overtake(command: Command, by: Who, now: number): Command {
  if (!isOpen(command.state) || !isWatering(command.intent) || command.isOvertaken) return command;
  if (command.state === 'queued') return evolve(command, 'cancel', by, now, { reason: 'stopped' });
  return { ...noted(command, 'overtaken', by, now), isOvertaken: true };
}

function usageOf({ commandId, createdAt }: Command, intent: Extract<Intent, { kind: 'water' }>) {
  return { commandId, channel: intent.channel, at: createdAt, ...amountOf(intent) };
}

/** Field by field, in any order. */
export function isSameIntent(a: Intent, b: Intent): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}
