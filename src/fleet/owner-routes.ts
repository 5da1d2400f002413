import * as z from 'zod';
import { defineRoute, type Route, validationFailed } from '../http/define-route.ts';
import { ApiError, type ErrorCode } from '../http/errors.ts';
import { isoDateTime, pageCursor, pageLimit, textLine } from '../http/fields.ts';
import { createAllow } from '../http/rate-limit.ts';
import { decodeCursor, encodeCursor } from '../platform/cursor.ts';
import type { AliveCheck } from '../platform/dynamo.ts';
import type { Services } from '../platform/services.ts';
import { type ClaimOutcome, claimDevice } from './claim.ts';
import { DeviceStatus, SerialField, thingName } from './device.ts';
import type { FleetStore } from './store.ts';
import { isOwnedRecord } from './stored-items.ts';
import { unclaimDevice } from './unclaim.ts';

const DEFAULT_PAGE = 50;
/** Enough for a gardener setting up a whole park, far too little to guess a claim code of 45 bits. */
const CLAIM_LIMIT = { requests: 100, windowSeconds: 600, andPerAddress: 300 } as const;
/** Codes tried on one device, whoever tries them: enough to mistype, nothing against 45 bits. */
const CODES_PER_DEVICE = { requests: 10, windowSeconds: 600 } as const;

const CLAIM_REFUSALS: { readonly [O in Exclude<ClaimOutcome['outcome'], 'claimed' | 'already_owned'>]: string } = {
  device_not_found: 'There is no device with this serial number. Please check the label.',
  already_claimed: 'This device belongs to another account. Its owner has to release it first.',
  not_claimable: 'This device can not be claimed at the moment. Please contact support.',
  claim_proof_required: "Please enter the claim code that is printed on the device's label.",
  claim_proof_invalid: 'The claim code is not right. Please check the label.',
  account_deleted: 'This account has been deleted.',
} satisfies { readonly [C in ErrorCode]?: string };

/** What an owner does with a device. */
export function ownerRoutes(services: Services, store: FleetStore, aliveCheck: AliveCheck): readonly Route[] {
  const { claimProof } = services.config;
  const allow = createAllow(services);

  const claim = defineRoute({
    method: 'POST',
    path: '/claimDevice',
    auth: 'cognito',
    domain: 'fleet',
    summary: 'Makes the user the owner of a device',
    description:
      'A device has one owner. The owner may ask again and is told `already_owned`; anybody else gets 409. A claim code ' +
      'that is sent is checked even where none is required. Where one is, an unknown serial and a wrong code get the same ' +
      'answer. At most ten codes are tried on one device in ten minutes.',
    rateLimit: CLAIM_LIMIT,
    body: z.strictObject({ serial: SerialField, claim_code: textLine(32).optional() }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        claimed: z.literal(true),
        serial: z.string(),
        hw_id: z.string(),
        thing_name: z.string(),
        owner_uid: z.string(),
        claimed_at: isoDateTime,
        already_owned: z.boolean(),
      }),
    },
    errors: ['device_not_found', 'already_claimed', 'not_claimable', 'claim_proof_required', 'claim_proof_invalid'],
  }).handledBy(async ({ caller, body }, { now }) => {
    const request = { serial: body.serial, claimCode: body.claim_code };
    if (request.claimCode !== undefined) await allow('claim code', CODES_PER_DEVICE, `serial:${request.serial}`);
    const result = await claimDevice(store, { claimProof, aliveCheck }, request, caller.uid, now);
    services.metrics.count('DeviceClaim', { outcome: result.outcome });
    if (result.outcome !== 'claimed' && result.outcome !== 'already_owned') {
      throw new ApiError(result.outcome, CLAIM_REFUSALS[result.outcome]);
    }
    const { serial, hwId } = result.device;
    return {
      status: 200,
      body: {
        ok: true,
        claimed: true,
        serial,
        hw_id: hwId,
        thing_name: thingName(serial),
        owner_uid: caller.uid,
        claimed_at: result.claimedAt,
        already_owned: result.outcome === 'already_owned',
      },
    };
  });

  const myDevices = defineRoute({
    method: 'GET',
    path: '/myDevices',
    auth: 'cognito',
    domain: 'fleet',
    summary: "The user's devices",
    description: 'By serial, at most `limit` (1–100, else 50) at once; `next_cursor` leads to the rest.',
    query: z.object({ limit: pageLimit, cursor: pageCursor }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        owner_uid: z.string(),
        count: z.number(),
        devices: z.array(
          z.object({
            serial: z.string(),
            hw_id: z.string(),
            thing_name: z.string(),
            status: DeviceStatus,
            claimed_at: isoDateTime,
            name: z.string().optional(),
          }),
        ),
        next_cursor: z.string().optional(),
      }),
    },
    errors: [],
  }).handledBy(async ({ caller, query }) => {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    if (query.cursor !== undefined && (after === undefined || !isOwnedRecord(after))) {
      throw validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }]);
    }
    const page = await store.listOwned(caller.uid, query.limit ?? DEFAULT_PAGE, after);
    return {
      status: 200,
      body: {
        ok: true,
        owner_uid: caller.uid,
        count: page.devices.length,
        devices: page.devices.map(({ serial, hwId, thingName: name, status, claimedAt, ...optional }) => ({
          serial,
          hw_id: hwId,
          thing_name: name,
          status,
          claimed_at: claimedAt,
          ...optional,
        })),
        ...(page.next === undefined ? {} : { next_cursor: encodeCursor(page.next) }),
      },
    };
  });

  const unclaim = defineRoute({
    method: 'POST',
    path: '/unclaimDevice',
    auth: 'cognito',
    domain: 'fleet',
    summary: 'Gives a device back',
    description: 'It leaves the list of its owner and can be claimed again.',
    rateLimit: CLAIM_LIMIT,
    body: z.strictObject({ serial: SerialField, reason: textLine(200).optional() }),
    responses: {
      200: z.object({ ok: z.literal(true), unclaimed: z.literal(true), serial: z.string(), hw_id: z.string() }),
    },
    errors: ['not_owned', 'not_active'],
  }).handledBy(async ({ caller, body }, { now }) => {
    const { serial, reason } = body;
    const result = await unclaimDevice(store, { serial, reason }, caller.uid, now);
    services.metrics.count('DeviceUnclaim', { outcome: result.outcome });
    switch (result.outcome) {
      case 'not_owned':
        throw new ApiError('not_owned', 'This device is not in your account.');
      case 'not_active':
        throw new ApiError('not_active', 'This device is out of service and can not be released.');
      case 'unclaimed':
        return { status: 200, body: { ok: true, unclaimed: true, serial, hw_id: result.hwId } };
    }
  });

  return [claim, myDevices, unclaim];
}
