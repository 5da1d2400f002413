import * as z from 'zod';
import { SerialField } from '../fleet/fields.ts';
import type { Serial } from '../platform/ids.ts';
import { IntentField } from './intent-field.ts';
import { type AuditEntry, type Command, isCommandId, REASONS } from './model/command.ts';
import { COMMAND_STATES } from './model/states.ts';

export const DeviceParams = z.object({ serial: SerialField });
export const CommandParams = z.object({
  serial: SerialField,
  command_id: z.string().refine(isCommandId, 'the id of a command').meta({ pattern: '^[0-9a-z]{21}$' }),
});

const Milliseconds = z.int().meta({ description: 'Milliseconds since 1970' });

/** A command as the API shows it. */
export const ShownCommand = z.object({
  command_id: z.string(),
  command_key: z.string(),
  serial: z.string(),
  intent: IntentField,
  state: z.enum(COMMAND_STATES),
  reason: z.enum(REASONS).nullable().meta({ description: 'Why it ended as it did; null for one that was done' }),
  created_at: Milliseconds,
  expires_at: Milliseconds,
  ended_at: Milliseconds.nullable(),
  revision: z.int().meta({ description: 'Grows with every change' }),
  leased_until: Milliseconds.nullable(),
  may_have_been_written: z.boolean(),
});

export const ShownAudit = z.array(z.object({ at: Milliseconds, step: z.string(), by: z.string() }));

export function shownCommand(serial: Serial, command: Command) {
  return {
    command_id: command.commandId,
    command_key: command.commandKey,
    serial,
    intent: command.intent,
    state: command.state,
    reason: command.reason,
    created_at: command.createdAt,
    expires_at: command.expiresAt,
    ended_at: command.endedAt,
    revision: command.revision,
    leased_until: command.lease?.until ?? null,
    may_have_been_written: command.mayHaveBeenWritten,
  };
}

export function shownAudit(audit: readonly AuditEntry[]) {
  return audit.map(({ at, step, by }) => ({ at, step, by }));
}
