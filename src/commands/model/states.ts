/** Where a command is. Those of the first line are open, the others its ends. */
export const COMMAND_STATES = [
  ...(['queued', 'leased', 'delivered'] as const),
  ...(['done', 'refused', 'dropped', 'failed', 'expired', 'cancelled'] as const),
] as const;
export type CommandState = (typeof COMMAND_STATES)[number];

export const COMMAND_EVENTS = [
  /** A carrier takes it. */
  'take',
  /** The carrier's time is over: the device may have been told. */
  'lease_over',
  /** The carrier can't, or not now. */
  'give_up',
  /** The device accepted the writes, which proves nothing. */
  'deliver',
  /** What was seen of the device proves it. */
  'prove',
  /** The device answered the write with an error. */
  'refuse',
  /** The device accepted it, was watched for as long as it may take, and did nothing. */
  'see_nothing',
  /** Nobody will find out any more whether it was carried out. */
  'lose_track',
  'expire',
  'cancel',
] as const;
export type CommandEvent = (typeof COMMAND_EVENTS)[number];

/**
 * What may follow what; whatever is missing can't happen. Only evidence leads to `done`, also evidence that comes after
 * everybody gave up. What may have been written never expires: it fails, since nobody knows.
 */
export const TRANSITIONS: Readonly<Record<CommandState, Readonly<Partial<Record<CommandEvent, CommandState>>>>> = {
  queued: { take: 'leased', prove: 'done', lose_track: 'failed', expire: 'expired', cancel: 'cancelled' },
  leased: {
    lease_over: 'queued',
    give_up: 'queued',
    deliver: 'delivered',
    prove: 'done',
    refuse: 'refused',
    see_nothing: 'dropped',
    lose_track: 'failed',
  },
  delivered: {
    lease_over: 'queued',
    give_up: 'queued',
    deliver: 'delivered',
    prove: 'done',
    refuse: 'refused',
    see_nothing: 'dropped',
    lose_track: 'failed',
  },
  failed: { prove: 'done' },
  done: {},
  refused: {},
  dropped: {},
  expired: {},
  cancelled: {},
};

export function isOpen(state: CommandState): boolean {
  return state === 'queued' || state === 'leased' || state === 'delivered';
}

/** @throws Error for an event that can't happen in this state */
export function after(state: CommandState, event: CommandEvent): CommandState {
  const next = TRANSITIONS[state][event];
  if (next === undefined) throw new Error(`a command that is ${state} can't ${event}`);
  return next;
}
