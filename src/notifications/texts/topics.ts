import type { NoticeKind } from '../notice.ts';

/**
 * How a fact is written for people. `channel` counts from 0, as the device does, and is shown from 1. Times are
 * milliseconds since 1970. `percent` of 40 is 40 %.
 */
export type FactType = 'text' | 'channel' | 'celsius' | 'command' | 'days' | 'litres' | 'percent' | 'reason' | 'time';

/** The facts that a topic's notices must have, by name. Texts may mention these and no others. */
export type TopicFacts = Readonly<Record<string, FactType>>;

/** Texts for a topic that is none of the others: a notice is never without words. */
export const OTHER = 'other';

/** Everything that has words of its own. A notice of another topic, or without its facts, gets those of `other`. */
export const TOPICS: Readonly<Record<NoticeKind, Readonly<Record<string, TopicFacts>>>> = {
  // The device's own alarms (device sheet, §2.6).
  alarm: {
    freeze: { temperature: 'celsius' },
    'freeze-stale': {},
    'high-flow': { channel: 'channel' },
    'low-flow': { channel: 'channel' },
    'mainline-leak': {},
    'channel-lock': { channel: 'channel' },
    'global-lock': {},
    other: {},
  },
  // A soft lock tries again by itself; a hard one waits for somebody (device sheet, §2.7).
  lock: {
    'channel-soft': { channel: 'channel', retry_at: 'time' },
    'channel-hard': { channel: 'channel' },
    'global-soft': { retry_at: 'time' },
    'global-hard': {},
    other: {},
  },
  leak: { 'valves-shut': {}, other: {} },
  no_flow: { channel: { channel: 'channel' }, other: {} },
  frost: { lockout: {}, cold: { temperature: 'celsius' }, other: {} },
  unheard: { silent: { days: 'days' }, other: {} },
  history_at_risk: { channel: { channel: 'channel' }, other: {} },
  insight: {
    'high-use': { channel: 'channel', percent: 'percent' },
    'dry-spell': { days: 'days' },
    'flat-line': {},
    'silent-sensor': {},
    'clock-lost': {},
    interrupted: {},
    saved: { litres: 'litres' },
    other: {},
  },
  update: {
    available: { version: 'text' },
    done: { version: 'text' },
    failed: { version: 'text' },
    'rolled-back': { version: 'text' },
    other: {},
  },
  subscription: { 'payment-failed': {}, ends: { ends_at: 'time' }, ended: {}, other: {} },
  new_peer: { phone: {}, tablet: {}, desktop: {}, hub: {}, other: {} },
  command: {
    done: { command: 'command' },
    'done-after-all': { command: 'command' },
    failed: { command: 'command' },
    refused: { command: 'command', reason: 'reason' },
    dropped: { command: 'command' },
    expired: { command: 'command' },
    other: {},
  },
};
