import { isUid, type Uid } from '../../platform/ids.ts';
import { fields, flag, listOf, number, oneOf, optional, text, textThat } from '../../platform/shapes.ts';
import type { NotificationKey } from '../table-keys.ts';

/** A delivery that is still to be made, possibly at a later hour. */
export interface Due {
  readonly key: NotificationKey;
  readonly uid: Uid;
  readonly messageId: string;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  /** `test`: a message that the owner asked for; it is in no inbox. */
  readonly how: 'alone' | 'digest' | 'test';
}

/** A delivery that one run has to itself. */
export interface ClaimedDue extends Due {
  readonly claim: string;
  /** Until when this run has it to itself, in milliseconds since 1970. */
  readonly claimedUntil: number;
  /** How often it was begun, this time included. */
  readonly attempts: number;
  /** Who has not got it yet, by endpoint or `email`; undefined: nobody has. */
  readonly remaining: readonly string[] | undefined;
  /** Whether the mail is not to be sent: it was, or a run began to send it and died before it could say what became of it. */
  readonly isMailNoted: boolean;
}

export const SCHEMA = 1;

const readStored = fields({
  partition: text,
  record: text,
  uid: textThat(isUid, 'a uid'),
  message_id: text,
  due_at: number,
  how: oneOf(['alone', 'digest', 'test']),
  claim: optional(text),
  claimed_until: optional(number),
  attempts: optional(number),
  remaining: optional(listOf(text)),
  is_mail_begun: optional(flag),
});

export function toDue(item: unknown): Due {
  const { partition, record, uid, message_id: messageId, due_at: dueAt, how } = readStored(item);
  return { key: { partition, record }, uid, messageId, dueAt, how };
}

export function toClaimed(item: unknown): ClaimedDue {
  const stored = readStored(item);
  const { claim = '', claimed_until: claimedUntil = 0, attempts = 1, remaining } = stored;
  return { ...toDue(item), claim, claimedUntil, attempts, remaining, isMailNoted: stored.is_mail_begun ?? false };
}

export function fromDue({ key, uid, messageId, dueAt, how }: Due): Record<string, unknown> {
  return { ...key, uid, message_id: messageId, due_at: dueAt, how, schema: SCHEMA };
}
