import { dropReasonOf, isProven, look, READABLE, refusalOf } from '@autowatering/device-data';
import pMap from 'p-map';
import * as z from 'zod';
import { SerialField } from '../../fleet/fields.ts';
import type { PeerCaller, User } from '../../http/caller.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { CommandParams, ShownCommand, shownCommand } from '../command-fields.ts';
import type { Report } from '../model/carry.ts';
import type { Command, Who } from '../model/command.ts';
import { ownDevice } from '../own-device.ts';
import type { CommandParts } from '../parts.ts';
import { commandEnded, commandNotFound, leaseHeld } from './owner-routes.ts';

const MOST_DEVICES = 20;
const DEVICES_AT_ONCE = 5;
const MOST_SEEN = 40;
const LONGEST_SEEN = 80;

const Milliseconds = z.int().meta({ description: 'Milliseconds since 1970' });
const CarrierId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,64}$/, 'an id of this installation: 8 to 64 letters, digits, - and _')
  .optional()
  .meta({ description: "Needed with the user's token; a peer's own token says who it is" });

const AttemptId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{8,64}$/, 'an id of your own making: 8 to 64 letters, digits, - and _')
  .meta({ description: 'Of this try to carry it: the same when you ask again or renew, another after a restart' });

const Observed = z
  .array(
    z.strictObject({
      characteristic: z.enum(READABLE),
      bytes: z
        .string()
        .max(Math.ceil((LONGEST_SEEN * 4) / 3))
        .regex(/^[A-Za-z0-9_-]+$/, 'base64url')
        .transform((text): Uint8Array => Buffer.from(text, 'base64url')),
    }),
  )
  .max(MOST_SEEN)
  .default([])
  .meta({ description: 'What was read or notified since the writes, in order, at most ten seconds ago' });

const ReportBody = z
  .strictObject({
    outcome: z.enum(['delivered', 'seen', 'nothing_seen', 'refused', 'unclear', 'gave_up']),
    fence: z.int().min(1),
    carrier_id: CarrierId,
    observed: Observed,
    att_error: z.int().min(1).max(255).optional().meta({ description: 'With refused' }),
    wrote: z.enum(['no', 'maybe']).optional().meta({ description: 'With gave_up' }),
    reason: z
      .enum(['device_busy', 'out_of_range', 'link_lost', 'other'])
      .optional()
      .meta({ description: 'With gave_up' }),
  })
  .refine(({ outcome, att_error }) => (outcome === 'refused') === (att_error !== undefined), 'att_error with refused')
  .refine(({ outcome, wrote }) => (outcome === 'gave_up') === (wrote !== undefined), 'wrote with gave_up')
  .refine(({ outcome, reason }) => outcome === 'gave_up' || reason === undefined, 'reason with gave_up only');

/** For phones and hubs near a device: what may be taken, taking it, and saying what became of it. */
export function carrierRoutes({ fleet, commands }: CommandParts): readonly Route[] {
  const offers = defineRoute({
    method: 'POST',
    path: '/commands/offers',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'commands',
    summary: 'Asks what may be carried to the devices in range',
    description:
      `For up to ${MOST_DEVICES} devices: the command that may be taken now, if any. A serial that is not of the account ` +
      'is left out. `changes_at` is when to ask again although nothing is announced; null: when something is.',
    rateLimit: { requests: 300, windowSeconds: 600, andPerAddress: 1200 },
    body: z.strictObject({ serials: z.array(SerialField).min(1).max(MOST_DEVICES) }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        time: Milliseconds,
        devices: z.array(
          z.object({ serial: z.string(), commands: z.array(ShownCommand), changes_at: Milliseconds.nullable() }),
        ),
      }),
    },
    errors: [],
  }).handledBy(async ({ caller, body }, { now }) => {
    const found = await pMap(
      [...new Set(body.serials)],
      async (serial) => {
        const device = await ownOrNone(caller.uid, serial);
        if (device === undefined) return [];
        const offer = await commands.offer(device);
        return [
          {
            serial,
            commands: offer.commands.map((command) => shownCommand(serial, command)),
            changes_at: offer.changesAt ?? null,
          },
        ];
      },
      { concurrency: DEVICES_AT_ONCE },
    );
    return { status: 200, body: { ok: true, time: now, devices: found.flat() } };
  });

  const lease = defineRoute({
    method: 'POST',
    path: '/devices/{serial}/commands/{command_id}/lease',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'commands',
    summary: 'Takes a command to carry it, or renews the lease',
    description:
      'For one carrier, until `leased_until`; asking again with the same `attempt_id` renews it. Write to the device only while it lasts. With ' +
      '`must_look` somebody may have written already: look before writing. `fence` goes into every report. 409 ' +
      '`lease_held`: another one has it, or the same one in another try; `command_not_next`: another command comes before it, or it has to wait; ' +
      '`command_ended`.',
    rateLimit: { requests: 600, windowSeconds: 600, andPerAddress: 2400 },
    params: CommandParams,
    body: z.strictObject({ carrier_id: CarrierId, attempt_id: AttemptId }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        command: ShownCommand,
        fence: z.int(),
        leased_until: Milliseconds,
        must_look: z.boolean(),
        first_taken_at: Milliseconds,
        time: Milliseconds,
      }),
    },
    errors: ['device_not_found', 'command_not_found', 'command_ended', 'command_not_next', 'lease_held'],
  }).handledBy(async ({ caller, params, body }, { now }) => {
    const carrier = carrierOf(caller, body.carrier_id);
    const device = await ownDevice(fleet, caller.uid, params.serial);
    const taking = await commands.take(device, params.command_id, { carrier, attempt: body.attempt_id });
    switch (taking.outcome) {
      case 'not_found':
        throw commandNotFound();
      case 'over':
        throw commandEnded(taking.command.state);
      case 'held':
        throw leaseHeld(taking.until);
      case 'not_next':
        throw new ApiError('command_not_next', 'Something else comes first.');
      case 'taken': {
        const { command, until } = taking;
        return {
          status: 200,
          body: {
            ok: true,
            command: shownCommand(params.serial, command),
            fence: command.fence,
            leased_until: until,
            must_look: command.mayHaveBeenWritten,
            first_taken_at: command.firstTakenAt ?? now,
            time: now,
          },
        };
      }
    }
  });

  const report = defineRoute({
    method: 'POST',
    path: '/devices/{serial}/commands/{command_id}/report',
    auth: 'cognito',
    openToPeers: true,
    idempotent: true,
    domain: 'commands',
    summary: 'Says what became of a command',
    description:
      '`delivered`: the device accepted the writes. `seen`: and what was `observed` shows that it does it; the service ' +
      'judges, and `is_done` says so. `nothing_seen`: it was watched for its time and did nothing; of a run, its history without such a start is ' +
      'needed to tell (as before writing again), or it counts as unclear. `refused`: by an ATT ' +
      'error. `unclear`: it may have been written before, and looking does not tell. `gave_up`: whether something may ' +
      'have been written. What comes after the lease is kept (`recorded: late`) and decides nothing, except evidence. ' +
      '`look_again_after`: for a stop, until then a run that it overtook may still be started; take it again then, and look.',
    rateLimit: { requests: 600, windowSeconds: 600, andPerAddress: 2400 },
    params: CommandParams,
    body: ReportBody,
    responses: {
      200: z.object({
        ok: z.literal(true),
        command: ShownCommand,
        recorded: z.enum(['in_time', 'late']),
        is_done: z.boolean(),
        look_again_after: Milliseconds.nullable(),
      }),
    },
    errors: ['device_not_found', 'command_not_found'],
  }).handledBy(async ({ caller, params, body }, { now }) => {
    const carrier = carrierOf(caller, body.carrier_id);
    const device = await ownDevice(fleet, caller.uid, params.serial);
    const known = await commands.read(device, params.command_id);
    if (known === undefined) throw commandNotFound();
    const said = judged(known, body, now);
    const reported = await commands.report(device, {
      ...{ commandId: params.command_id, carrier, fence: body.fence, report: said },
    });
    if (reported.outcome === 'not_found') throw commandNotFound();
    const { command, lookAfter } = reported;
    return {
      status: 200,
      body: {
        ok: true,
        command: shownCommand(params.serial, command),
        recorded: reported.outcome === 'late' ? 'late' : 'in_time',
        is_done: command.state === 'done',
        look_again_after: lookAfter ?? null,
      },
    };
  });

  return [offers, lease, report];

  async function ownOrNone(uid: User['uid'], serial: z.output<typeof SerialField>) {
    try {
      return await ownDevice(fleet, uid, serial, { mayBeStale: true });
    } catch (error) {
      if (error instanceof ApiError && error.code === 'device_not_found') return undefined;
      throw error;
    }
  }
}

/** What a report means, by what its carrier saw: nobody's word makes a command done. */
function judged({ intent, firstTakenAt }: Command, body: z.output<typeof ReportBody>, now: number): Report {
  const { observed } = body;
  // A refused start is not proved by a run that is seen: it is another one. A refused stop may be, by silence.
  const isProof = (outcome: string) =>
    !(outcome === 'refused' && ['water', 'start_next', 'skip_next'].includes(intent.kind)) &&
    isProven(intent, observed, firstTakenAt ?? now, now);
  if (body.outcome !== 'gave_up' && body.outcome !== 'unclear' && isProof(body.outcome)) {
    return { event: 'prove' };
  }
  switch (body.outcome) {
    case 'delivered':
    case 'seen':
      return { event: 'deliver' };
    case 'nothing_seen':
      // A run may have begun and ended with a reboot in between; only the device's history shows that none did.
      return intent.kind === 'water' && look(intent, observed, firstTakenAt ?? now, now) !== 'not_done'
        ? { event: 'lose_track' }
        : { event: 'see_nothing', reason: dropReasonOf(intent, observed) };
    case 'refused':
      return { event: 'refuse', reason: refusalOf(intent, body.att_error ?? 0, observed) };
    case 'unclear':
      return { event: 'lose_track' };
    case 'gave_up':
      return { event: 'give_up', wrote: body.wrote ?? 'maybe', isDeviceBusy: body.reason === 'device_busy' };
  }
}

function carrierOf(caller: User | PeerCaller, id: string | undefined): Who {
  if (caller.kind === 'peer') return `peer:${caller.peerId}`;
  if (id === undefined) {
    throw validationFailed(
      [{ in: 'body', field: 'carrier_id', message: "needed with the user's own token" }],
      'person',
    );
  }
  return `user:${id}`;
}
