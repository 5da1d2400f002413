import * as z from 'zod';
import { IntentField } from '../intent-field.ts';
import { type Command, isCommandId, REASONS } from '../model/command.ts';
import type { Queue } from '../model/queue.ts';
import { COMMAND_EVENTS, COMMAND_STATES } from '../model/states.ts';

const Id = z.string().refine(isCommandId);
const Step = z.enum([...COMMAND_EVENTS, 'create', 'renew', 'late_report', 'overtaken']);

/** Short names: a queue's item is written with every step. */
const StoredCommand = z
  .object({
    id: Id,
    key: z.string(),
    intent: IntentField,
    state: z.enum(COMMAND_STATES),
    reason: z.enum(REASONS).nullable(),
    created: z.number(),
    expires: z.number(),
    ended: z.number().nullable(),
    rev: z.number(),
    fence: z.number(),
    lease: z.tuple([z.string(), z.number(), z.string()]).nullable(),
    taken: z.number().nullable(),
    written: z.boolean(),
    wait: z.number(),
    overtaken: z.boolean(),
    audit: z.array(z.tuple([z.number(), Step, z.string()])),
  })
  .transform(
    (stored): Command => ({
      commandId: stored.id,
      commandKey: stored.key,
      ...{ intent: stored.intent, state: stored.state, reason: stored.reason },
      ...{ createdAt: stored.created, expiresAt: stored.expires, endedAt: stored.ended, revision: stored.rev },
      fence: stored.fence,
      lease:
        stored.lease === null ? null : { carrier: stored.lease[0], until: stored.lease[1], attempt: stored.lease[2] },
      ...{ firstTakenAt: stored.taken, mayHaveBeenWritten: stored.written, waitUntil: stored.wait },
      isOvertaken: stored.overtaken,
      audit: stored.audit.map(([at, step, by]) => ({ at, step, by })),
    }),
  );
const StoredCommands = z.array(StoredCommand);
const StoredUsage = z
  .array(z.tuple([Id, z.number(), z.number(), z.number(), z.number()]))
  .transform((all) =>
    all.map(([commandId, channel, at, minutes, litres]) => ({ commandId, channel, at, minutes, litres })),
  );

function fromCommand(command: Command): z.input<typeof StoredCommand> {
  return {
    id: command.commandId,
    key: command.commandKey,
    ...{ intent: command.intent, state: command.state, reason: command.reason },
    ...{ created: command.createdAt, expires: command.expiresAt, ended: command.endedAt, rev: command.revision },
    fence: command.fence,
    lease: command.lease === null ? null : [command.lease.carrier, command.lease.until, command.lease.attempt],
    ...{ taken: command.firstTakenAt, written: command.mayHaveBeenWritten, wait: command.waitUntil },
    overtaken: command.isOvertaken,
    audit: command.audit.map(({ at, step, by }) => [at, step, by]),
  };
}

/** As text: one attribute, whatever commands will have in them. */
export function commandText(command: Command): string {
  return JSON.stringify(fromCommand(command));
}

export function readCommand(text: string): Command {
  return StoredCommand.parse(JSON.parse(text));
}

export function queueTexts({ commands, used }: Queue): { readonly commands: string; readonly used: string } {
  return {
    commands: JSON.stringify(commands.map(fromCommand)),
    used: JSON.stringify(
      used.map(({ commandId, channel, at, minutes, litres }) => [commandId, channel, at, minutes, litres]),
    ),
  };
}

export function readQueue(texts: { readonly commands: string; readonly used: string }): Queue {
  return {
    commands: StoredCommands.parse(JSON.parse(texts.commands)),
    used: StoredUsage.parse(JSON.parse(texts.used)),
  };
}
