import type { Intent } from '@autowatering/device-data';
import { describe, expect, it } from 'vitest';
import { type Command, newCommand, newCommandId } from '../../../src/commands/model/command.ts';
import { nextChangeAt, takeable } from '../../../src/commands/model/queue.ts';
import { systemRandomness } from '../../../src/platform/ids.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const MINUTE = 60_000;
const command = (intent: Intent, more: Partial<Command> = {}): Command => {
  const commandId = newCommandId(systemRandomness, NOW);
  const given = { commandId, commandKey: commandId, intent, expiresAt: NOW + 60 * MINUTE };
  return { ...newCommand(given, 'user', NOW), ...more };
};
const water = (more: Partial<Command> = {}) => command({ kind: 'water', channel: 1, minutes: 5 }, more);
const skip = (at: number) => command({ kind: 'skip_next', channel: 1, at });
const kinds = (...commands: Command[]) => takeable({ commands, used: [] }, NOW).map(({ intent }) => intent.kind);
const next = (...commands: Command[]) => nextChangeAt({ commands, used: [] }, NOW);

describe('what a carrier may take', () => {
  it('is a skipped run only a minute before it would begin, and lets others pass until then', () => {
    const later = skip(NOW + 10 * MINUTE);
    expect(kinds(later)).toEqual([]);
    expect(next(later)).toBe(NOW + 9 * MINUTE);
    expect(kinds(later, water())).toEqual(['water']);
    expect(kinds(skip(NOW + MINUTE))).toEqual(['skip_next']);
  });

  it('is nothing that waters while earlier watering waits for an idle device, but anything else', () => {
    const waiting = water({ waitUntil: NOW + MINUTE });
    expect(kinds(waiting, water())).toEqual([]);
    expect(kinds(waiting, command({ kind: 'clear_alarm' }))).toEqual(['clear_alarm']);
    const other = command({ kind: 'clear_alarm' }, { waitUntil: NOW + MINUTE });
    expect(kinds(other, water())).toEqual(['water']);
    expect(next(waiting, other)).toBe(NOW + MINUTE);
  });

  it('is a stop before all others, and nothing beside what somebody else has', () => {
    expect(kinds(water(), command({ kind: 'stop' }))).toEqual(['stop']);
    const taken = water({ state: 'leased', lease: { carrier: 'user', attempt: 'first', until: NOW + 2 * MINUTE } });
    expect(kinds(taken, water())).toEqual([]);
    expect(next(taken)).toBe(NOW + 2 * MINUTE);
  });

  it('does not change by itself once all is over', () => {
    expect(next()).toBeUndefined();
    expect(next(water({ state: 'done', endedAt: NOW }))).toBeUndefined();
    expect(next(water())).toBeUndefined();
  });
});
