import { writesOf } from '@autowatering/device-data';
import * as z from 'zod';
import { accountDeleted } from '../../http/checks/authenticate.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { pageCursor, pageLimit } from '../../http/fields.ts';
import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import { decodeCursor, encodeCursor } from '../../platform/cursor.ts';
import { CommandParams, DeviceParams, ShownAudit, ShownCommand, shownAudit, shownCommand } from '../command-fields.ts';
import { IntentField } from '../intent-field.ts';
import { isCommandId } from '../model/command.ts';
import { MOST_OPEN } from '../model/give.ts';
import type { Exceeded } from '../model/safety.ts';
import { ownDevice, whoIs } from '../own-device.ts';
import type { CommandParts } from '../parts.ts';

const DEFAULT_PAGE = 50;
const STANDARD_EXPIRY_S = 10 * 60;
const LONGEST_EXPIRY_S = 24 * 60 * 60;
const SHORTEST_EXPIRY_S = 30;
/** A run to be skipped is waited for until so long after its time. */
const SKIP_WITHIN_MS = 15 * 60_000;

/** Giving commands, seeing what became of them, and taking them back. */
export function ownerRoutes({ fleet, settings, commands }: CommandParts, isAlive: AliveCheck): readonly Route[] {
  const give = defineRoute({
    method: 'POST',
    path: '/devices/{serial}/commands',
    auth: 'cognito',
    idempotent: true,
    domain: 'commands',
    summary: 'Gives a device a command, which a phone or hub near it carries',
    description:
      'The same `command_key` with the same intent is the same command, however often it is sent; with another one, 409 ' +
      '`command_key_used`. It expires after `expires_in_seconds` (30 to 86,400, default 600) unless somebody carried it ' +
      'by then. `stop` overtakes everything and cancels watering that was asked for before. 409 `limit_reached`: ' +
      '`details.limit` is `open_commands`, or one of the account’s limits with the `most` it allows and what is `used`.',
    rateLimit: { requests: 60, windowSeconds: 600, andPerAddress: 240 },
    params: DeviceParams,
    body: z.strictObject({
      command_key: z
        .string()
        .regex(/^[A-Za-z0-9_-]{8,64}$/, 'an id of your own making: 8 to 64 letters, digits, - and _')
        .meta({ examples: ['3f1c7f0e-52a1-4a33-9a0f-6f4b7f4f7a10'] }),
      intent: IntentField,
      expires_in_seconds: z.int().min(SHORTEST_EXPIRY_S).max(LONGEST_EXPIRY_S).optional(),
    }),
    responses: {
      200: z.object({ ok: z.literal(true), command: ShownCommand }),
      201: z.object({ ok: z.literal(true), command: ShownCommand }),
    },
    errors: ['device_not_found', 'command_key_used', 'limit_reached'],
  }).handledBy(async ({ caller, params, body }, { now }) => {
    const { intent, command_key: commandKey } = body;
    const fault = intentFault(intent, now);
    if (fault !== undefined) throw validationFailed([{ in: 'body', field: 'intent', message: fault }], 'person');
    const [device, limits] = await Promise.all([
      ownDevice(fleet, caller.uid, params.serial),
      settings.read(caller.uid),
    ]);
    const expiresAt =
      intent.kind === 'skip_next'
        ? intent.at + SKIP_WITHIN_MS
        : now + (body.expires_in_seconds ?? STANDARD_EXPIRY_S) * 1000;
    const given = await commands.give(device, whoIs(caller), { commandKey, intent, expiresAt }, limits, isAlive);
    switch (given.outcome) {
      case 'account_deleted':
        throw accountDeleted();
      case 'key_used':
        throw new ApiError('command_key_used', 'This was already asked for differently. Please try again.');
      case 'too_many':
        throw new ApiError('limit_reached', 'This device has too much to do already. Please wait until it is done.', {
          details: { limit: 'open_commands', most: MOST_OPEN },
        });
      case 'exceeded':
        throw tooMuch(given.exceeded);
      default: {
        const body = { ok: true as const, command: shownCommand(params.serial, given.command) };
        return given.outcome === 'given' ? { status: 201, body } : { status: 200, body };
      }
    }
  });

  const list = defineRoute({
    method: 'GET',
    path: '/devices/{serial}/commands',
    auth: 'cognito',
    openToPeers: true,
    domain: 'commands',
    summary: "Lists a device's commands",
    description:
      'Newest first, at most `limit` (1–100, default 50) per page; `next_cursor` leads to the rest. They are kept for 90 ' +
      'days after their end.',
    params: DeviceParams,
    query: z.object({ limit: pageLimit, cursor: pageCursor }),
    responses: {
      200: z.object({ ok: z.literal(true), commands: z.array(ShownCommand), next_cursor: z.string().optional() }),
    },
    errors: ['device_not_found'],
  }).handledBy(async ({ caller, params, query }) => {
    const { limit = DEFAULT_PAGE } = query;
    const before = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    if (query.cursor !== undefined && (before === undefined || !isCommandId(before))) {
      throw validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }], 'person');
    }
    const device = await ownDevice(fleet, caller.uid, params.serial, { mayBeStale: true });
    const found = await commands.list(device, limit, before);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    return {
      status: 200,
      body: {
        ok: true,
        commands: page.map((command) => shownCommand(params.serial, command)),
        ...(found.length > limit && last !== undefined && { next_cursor: encodeCursor(last.commandId) }),
      },
    };
  });

  const read = defineRoute({
    method: 'GET',
    path: '/devices/{serial}/commands/{command_id}',
    auth: 'cognito',
    openToPeers: true,
    domain: 'commands',
    summary: 'Shows a command and who did what with it',
    description: '`audit` lists each step, with its time and who took it.',
    params: CommandParams,
    responses: { 200: z.object({ ok: z.literal(true), command: ShownCommand, audit: ShownAudit }) },
    errors: ['device_not_found', 'command_not_found'],
  }).handledBy(async ({ caller, params }) => {
    const device = await ownDevice(fleet, caller.uid, params.serial, { mayBeStale: true });
    const command = await commands.read(device, params.command_id);
    if (command === undefined) throw commandNotFound();
    return {
      status: 200,
      body: { ok: true, command: shownCommand(params.serial, command), audit: shownAudit(command.audit) },
    };
  });

  const cancel = defineRoute({
    method: 'POST',
    path: '/devices/{serial}/commands/{command_id}/cancel',
    auth: 'cognito',
    idempotent: true,
    domain: 'commands',
    summary: 'Cancels a command that nobody carries',
    description:
      'One that was cancelled already stays so. 409 `lease_held` while somebody carries it, until ' +
      '`details.expires_at`; watering can be stopped by a `stop` then. 409 `command_ended` when it has ended otherwise. ' +
      'With `may_have_been_written` the device may have been told before.',
    rateLimit: { requests: 120, windowSeconds: 600, andPerAddress: 480 },
    params: CommandParams,
    body: z.strictObject({}),
    responses: { 200: z.object({ ok: z.literal(true), command: ShownCommand }) },
    errors: ['device_not_found', 'command_not_found', 'command_ended', 'lease_held'],
  }).handledBy(async ({ caller, params }) => {
    const device = await ownDevice(fleet, caller.uid, params.serial);
    const cancelled = await commands.cancel(device, params.command_id, whoIs(caller));
    switch (cancelled.outcome) {
      case 'not_found':
        throw commandNotFound();
      case 'under_way':
        throw leaseHeld(cancelled.until);
      case 'over':
        if (cancelled.command.state !== 'cancelled') throw commandEnded(cancelled.command.state);
        return { status: 200, body: { ok: true, command: shownCommand(params.serial, cancelled.command) } };
      case 'cancelled':
        return { status: 200, body: { ok: true, command: shownCommand(params.serial, cancelled.command) } };
    }
  });

  return [give, list, read, cancel];
}

/** What the schema can't say: whether it can be written at all, and when a run to be skipped may be. */
function intentFault(intent: z.output<typeof IntentField>, now: number): string | undefined {
  if (intent.kind === 'skip_next' && (intent.at < now || intent.at > now + LONGEST_EXPIRY_S * 1000 - SKIP_WITHIN_MS)) {
    return 'a run of the next 23 hours';
  }
  try {
    writesOf(intent, { now });
    return undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

const LIMIT_MESSAGES: Readonly<Record<Exceeded['limit'], string>> = {
  longest_run_minutes: 'This is longer than your settings allow for one watering.',
  longest_run_litres: 'This is more water than your settings allow for one watering.',
  minutes_a_day: 'This zone has been watered for as long today as your settings allow.',
  litres_a_day: 'This zone has had as much water today as your settings allow.',
};

function tooMuch({ limit, most, used }: Exceeded): ApiError {
  return new ApiError('limit_reached', LIMIT_MESSAGES[limit], { details: { limit, most, used } });
}

export function commandNotFound(): ApiError {
  return new ApiError('command_not_found', 'This command is not there any more.');
}

export function commandEnded(state: string): ApiError {
  return new ApiError('command_ended', 'This is over already.', { details: { state } });
}

export function leaseHeld(until: number): ApiError {
  return new ApiError('lease_held', 'This is being carried out at the moment.', {
    details: { expires_at: until },
  });
}
