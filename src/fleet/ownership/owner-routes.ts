import * as z from 'zod';
import { storableMap } from '../../http/body/storable-json.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { isoDateTime, pageCursor, pageLimit, textLine } from '../../http/fields.ts';
import { decodeCursor, encodeCursor } from '../../platform/cursor.ts';
import type { Services } from '../../platform/services.ts';

import type { FleetStore } from '../device/store.ts';
import { isOwnedRecord } from '../device/stored-items.ts';
import { DeviceStatusField, MetadataValue, SerialField } from '../fields.ts';
import { CLAIM_LIMIT } from './claim-routes.ts';
import { unclaimDevice } from './unclaim.ts';

const DEFAULT_PAGE = 50;
const MOST_SETTINGS = 50;
const LONGEST_NAME = 60;

const Settings = z.record(z.string(), MetadataValue);
const NewSettings = storableMap({ mostEntries: MOST_SETTINGS, longestText: 200 });

/** What owners can do with their devices. */
export function ownerRoutes(services: Pick<Services, 'metrics'>, store: FleetStore): readonly Route[] {
  const myDevices = defineRoute({
    method: 'GET',
    path: '/myDevices',
    auth: 'cognito',
    openToPeers: true,
    domain: 'fleet',
    summary: "Lists the user's devices",
    description: 'By serial, at most `limit` (1–100, default 50) per page; `next_cursor` leads to the rest.',
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
            status: DeviceStatusField,
            claimed_at: isoDateTime,
            name: z.string().optional(),
            settings: Settings.optional(),
          }),
        ),
        next_cursor: z.string().optional(),
      }),
    },
    errors: [],
  }).handledBy(async ({ caller, query }) => {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    if (query.cursor !== undefined && (after === undefined || !isOwnedRecord(after))) {
      throw validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }], 'person');
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
    summary: 'Releases a device from its owner',
    description: "Removes it from the owner's list. It can then be claimed again.",
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
        throw new ApiError(
          'not_active',
          'This device is out of service and can’t be removed from your account. Please contact support.',
        );
      case 'unclaimed':
        return { status: 200, body: { ok: true, unclaimed: true, serial, hw_id: result.hwId } };
    }
  });

  const update = defineRoute({
    method: 'POST',
    path: '/updateDevice',
    auth: 'cognito',
    idempotent: true,
    domain: 'fleet',
    summary: 'Changes the name or settings of a device',
    description:
      'Omitted fields stay unchanged. An empty name removes the name; `settings` are replaced as a whole. Name and ' +
      'settings go to the next owner on a transfer, and to a replacement unit.',
    rateLimit: { requests: 60, windowSeconds: 600 },
    body: z.strictObject({
      serial: SerialField,
      name: textLine(LONGEST_NAME).optional(),
      settings: NewSettings.optional(),
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        serial: z.string(),
        hw_id: z.string(),
        name: z.string().optional(),
        settings: Settings.optional(),
      }),
    },
    errors: ['not_owned'],
  }).handledBy(async ({ caller, body }) => {
    const { serial, name, settings } = body;
    const wanted = {
      ...(name === undefined ? {} : { name: name.trim() }),
      ...(settings === undefined ? {} : { settings }),
    };
    const device = await store.updateOwned(caller.uid, serial, wanted);
    if (device === undefined) throw new ApiError('not_owned', 'This device is not in your account.');
    const { hwId, thingName: _thing, status: _status, claimedAt: _claimed, ...personal } = device;
    return { status: 200, body: { ok: true, hw_id: hwId, ...personal } };
  });

  return [myDevices, update, unclaim];
}
