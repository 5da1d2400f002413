import { isSerial } from '../../platform/ids.ts';
import { either, fields, number, oneOf, optional, orNull, recordOf, text, textThat } from '../../platform/shapes.ts';
import { NOTICE_KINDS, type Notice } from '../notice.ts';
import { NOTICE_PREFIX } from '../table-keys.ts';

/** A notice that was told: one per cause. */
export interface Message extends Omit<Notice, 'cause'> {
  readonly messageId: string;
  /** When this service heard of it, in milliseconds since 1970; messages are in this order. */
  readonly storedAt: number;
  /** When it was marked by itself; messages are also read by time (`readUntil`). */
  readonly readAt: number | null;
}

export const SCHEMA = 1;
const DAY_MS = 24 * 60 * 60 * 1000;
export const INBOX_MS = 90 * DAY_MS;

const readStored = fields({
  record: textThat((value) => value.startsWith(NOTICE_PREFIX), 'the record of a message'),
  kind: oneOf(NOTICE_KINDS),
  topic: text,
  severity: oneOf(['info', 'warning', 'danger', 'critical']),
  at: number,
  stored_at: number,
  serial: orNull(textThat(isSerial, 'a serial')),
  facts: recordOf(either(text, number)),
  read_at: optional(number),
});

export function toMessage(item: unknown): Message {
  const { record, stored_at: storedAt, read_at: readAt, kind, topic, severity, at, serial, facts } = readStored(item);
  return {
    messageId: record.slice(NOTICE_PREFIX.length),
    ...{ kind, topic, severity, at, serial, facts, storedAt },
    readAt: readAt ?? null,
  };
}

/** Its attributes without key and expiry. */
export function fromMessage({ kind, topic, severity, at, serial, facts, storedAt }: Message): Record<string, unknown> {
  return { kind, topic, severity, at, serial, facts, stored_at: storedAt, schema: SCHEMA };
}
