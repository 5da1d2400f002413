import { describe, expect, it } from 'vitest';
import {
  after,
  COMMAND_EVENTS,
  COMMAND_STATES,
  type CommandState,
  isOpen,
  TRANSITIONS,
} from '../../../src/commands/model/states.ts';

const all = COMMAND_STATES.flatMap((state) => COMMAND_EVENTS.map((event) => [state, event] as const));

describe('the states of a command', () => {
  it('follow each other as they are listed, and in no other way', () => {
    const happened = all.flatMap(([state, event]) => {
      try {
        return [`${state} –${event}→ ${after(state, event)}`];
      } catch {
        return [];
      }
    });
    const underWay = (state: string) => [
      `${state} –lease_over→ queued`,
      `${state} –give_up→ queued`,
      `${state} –deliver→ delivered`,
      `${state} –prove→ done`,
      `${state} –refuse→ refused`,
      `${state} –see_nothing→ dropped`,
      `${state} –lose_track→ failed`,
    ];
    expect(happened.sort()).toEqual(
      [
        ...['queued –take→ leased', 'queued –prove→ done', 'queued –lose_track→ failed'],
        ...['queued –expire→ expired', 'queued –cancel→ cancelled', 'failed –prove→ done'],
        ...underWay('leased'),
        ...underWay('delivered'),
      ].sort(),
    );
  });

  it('are all reached from queued, and done only by evidence', () => {
    const reached = new Set<CommandState>(['queued']);
    for (const state of reached) for (const next of Object.values(TRANSITIONS[state])) reached.add(next);
    expect([...reached].sort()).toEqual([...COMMAND_STATES].sort());
    const toDone = all.filter(([state, event]) => TRANSITIONS[state][event] === 'done').map(([, event]) => event);
    expect(new Set(toDone)).toEqual(new Set(['prove']));
  });

  it('end: an end is left only by evidence where nobody knew', () => {
    const ends = COMMAND_STATES.filter((state) => !isOpen(state));
    expect(ends.flatMap((state) => Object.keys(TRANSITIONS[state]).map((event) => `${state} ${event}`))).toEqual([
      'failed prove',
    ]);
  });
});
