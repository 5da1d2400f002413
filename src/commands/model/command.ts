import { type Intent, REFUSALS } from '@autowatering/device-data';
import type { Randomness } from '../../platform/ids.ts';
import { after, type CommandEvent, type CommandState } from './states.ts';

declare const brand: unique symbol;
/** Begins with its time, so that ids sort as commands were given. */
export type CommandId = string & { readonly [brand]: 'CommandId' };

/** Why a command ended as it did; null for one that was done. */
export const REASONS = [
  ...REFUSALS,
  ...(['channel_locked', 'device_locked', 'unknown'] as const),
  /** It may have been carried out, or not. */
  'outcome_unknown',
  'nobody_came',
  'by_owner',
  /** Somebody stopped the watering after it was given. */
  'stopped',
] as const;
export type Reason = (typeof REASONS)[number];

/** `peer:<id>`, `user`, `user:<the app's own id>`, or `service`. */
export type Who = string;

export interface AuditEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly step: CommandEvent | 'create' | 'renew' | 'late_report' | 'overtaken';
  readonly by: Who;
}

/** A carrier's right to carry a command. */
export interface Lease {
  readonly carrier: Who;
  /** The carrier's own id of this try. Only it renews the lease: a carrier that began anew may have written already. */
  readonly attempt: string;
  readonly until: number;
}

/** Times in milliseconds since 1970. */
export interface Command {
  readonly commandId: CommandId;
  /** The client's own name for it, unique for a device. */
  readonly commandKey: string;
  readonly intent: Intent;
  readonly state: CommandState;
  readonly reason: Reason | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  readonly endedAt: number | null;
  /** Grows with every change. */
  readonly revision: number;
  /** The number of the last lease. A carrier's reports name the one it had. */
  readonly fence: number;
  readonly lease: Lease | null;
  readonly firstTakenAt: number | null;
  /** Somebody had it and did not say that nothing was written: the next one looks first. */
  readonly mayHaveBeenWritten: boolean;
  /** The device was busy: not to be taken before. */
  readonly waitUntil: number;
  /** A stop was given after it. */
  readonly isOvertaken: boolean;
  readonly audit: readonly AuditEntry[];
}

const ID_TIME_CHARACTERS = 9;
const ID_RANDOM_BYTES = 6;
const COMMAND_ID = /^[0-9a-z]{9}[0-9a-f]{12}$/;
const MOST_AUDIT = 32;
/** The beginning is kept when the middle goes. */
const KEPT_FIRST = 8;

export function isCommandId(value: string): value is CommandId {
  return COMMAND_ID.test(value);
}

export function newCommandId(randomness: Pick<Randomness, 'bytes'>, now: number): CommandId {
  const time = now.toString(36).padStart(ID_TIME_CHARACTERS, '0');
  const id = `${time}${randomness.bytes(ID_RANDOM_BYTES).toString('hex')}`;
  if (!isCommandId(id)) throw new Error('the time does not fit into an id');
  return id;
}

export function newCommand(
  given: Pick<Command, 'commandId' | 'commandKey' | 'intent' | 'expiresAt'>,
  by: Who,
  now: number,
): Command {
  return {
    ...given,
    ...{ state: 'queued', reason: null, createdAt: now, endedAt: null, revision: 1 },
    ...{ fence: 0, lease: null, firstTakenAt: null, mayHaveBeenWritten: false, waitUntil: 0, isOvertaken: false },
    audit: [{ at: now, step: 'create', by }],
  };
}

type Changes = Partial<
  Pick<Command, 'reason' | 'fence' | 'lease' | 'firstTakenAt' | 'mayHaveBeenWritten' | 'waitUntil'>
>;

/** The command after an event. @throws Error when it can't happen in its state */
export function evolve(command: Command, event: CommandEvent, by: Who, at: number, changes: Changes = {}): Command {
  const state = after(command.state, event);
  const isOver = state !== 'queued' && state !== 'leased' && state !== 'delivered';
  return noted(
    {
      ...command,
      ...(state === 'queued' || isOver ? { lease: null } : {}),
      ...(isOver ? { endedAt: at } : {}),
      ...(state === 'done' ? { reason: null } : {}),
      ...changes,
      state,
    },
    event,
    by,
    at,
  );
}

/** A change that is no transition. */
export function noted(command: Command, step: AuditEntry['step'], by: Who, at: number): Command {
  const audit = [...command.audit, { at, step, by }];
  if (audit.length > MOST_AUDIT) {
    // Whether it failed before it was proved decides what its owner is told.
    const middle = audit.findIndex((entry, index) => index >= KEPT_FIRST && entry.step !== 'lose_track');
    audit.splice(middle, 1);
  }
  return { ...command, revision: command.revision + 1, audit };
}
