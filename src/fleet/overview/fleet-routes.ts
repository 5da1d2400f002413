import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { isoDateTime, pageCursor, pageLimit } from '../../http/fields.ts';
import { isoTime } from '../../platform/clock.ts';
import { decodeCursor, encodeCursor } from '../../platform/cursor.ts';
import type { Services } from '../../platform/services.ts';
import { type Device, fleetStateOf, thingName } from '../device/device.ts';
import { createDeviceIndex, isDeviceCursor } from '../device/device-index.ts';
import type { FleetStore } from '../device/store.ts';
import { FleetStateField, HwIdField, MetadataValue, SerialField } from '../fields.ts';
import { createFleetSummary } from './fleet-summary.ts';

const DEFAULT_PAGE = 50;
const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_DAYS = 30;

const filterText = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/, 'up to 64 letters, digits and _ . + -');

const FleetEntry = z.object({
  hw_id: z.string(),
  serial: z.string(),
  thing_name: z.string(),
  status: FleetStateField,
  board: z.string(),
  batch: z.string().nullable(),
  firmware_version: z.string().nullable(),
  firmware_seen_at: isoDateTime.nullable(),
  created_at: isoDateTime,
  updated_at: isoDateTime,
  claimed_at: isoDateTime.nullable(),
  replaced_by: z.string().nullable(),
  has_public_key: z.boolean(),
  metadata: z.record(z.string(), MetadataValue),
});

/** The whole fleet, for operators. Owners are not shown here; they are in each device's audit. */
export function fleetListRoutes(
  services: Pick<Services, 'config' | 'documents'>,
  store: Pick<FleetStore, 'findAll'>,
): readonly Route[] {
  const index = createDeviceIndex(services);
  const summaries = createFleetSummary(services);

  const devices = defineRoute({
    method: 'GET',
    path: '/fleet/devices',
    auth: 'factory',
    domain: 'fleet',
    summary: 'Lists the devices of the fleet',
    description:
      'One device by `hw_id` or `serial`, or all by any combination of `status` (`factory_only`, `active`, ' +
      '`claimed`, `revoked`), `batch`, `firmware_version` and `board`. At most `limit` (1–100, default 50) per page. ' +
      'A page may hold fewer, or none, while `next_cursor` leads to the rest. Lists lag slightly behind changes.',
    query: z.object({
      hw_id: HwIdField.optional(),
      serial: SerialField.optional(),
      status: FleetStateField.optional(),
      batch: filterText.optional(),
      firmware_version: filterText.optional(),
      board: filterText.transform((text) => text.toLowerCase()).optional(),
      limit: pageLimit,
      cursor: pageCursor,
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        count: z.number(),
        devices: z.array(FleetEntry),
        next_cursor: z.string().optional(),
      }),
    },
    errors: [],
  }).handledBy(async ({ query }) => {
    const { status: state, batch, firmware_version: firmwareVersion, board, limit = DEFAULT_PAGE } = query;
    if (query.hw_id !== undefined || query.serial !== undefined) {
      const [device] = await store.findAll([{ hwId: query.hw_id, serial: query.serial }]);
      const found = device === undefined ? [] : [fleetEntry(device)];
      return { status: 200, body: { ok: true, count: found.length, devices: found } };
    }
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    if (query.cursor !== undefined && (after === undefined || !isDeviceCursor(after))) {
      throw validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }], 'machine');
    }
    const page = await index.listDevices({ state, batch, firmwareVersion, board }, limit, after);
    const next = page.next === undefined ? {} : { next_cursor: encodeCursor(page.next) };
    return {
      status: 200,
      body: { ok: true, count: page.devices.length, devices: page.devices.map(fleetEntry), ...next },
    };
  });

  const summary = defineRoute({
    method: 'GET',
    path: '/fleet/summary',
    auth: 'factory',
    domain: 'fleet',
    summary: 'Counts devices by status, version and day',
    description:
      'From counts kept in the same transaction as each change, so no device is read. `days` (1–366, default 30) ' +
      'says how far back the daily counts go, in UTC.',
    query: z.object({
      days: z
        .string()
        .regex(/^[1-9]\d{0,2}$/, 'a whole number from 1 to 366')
        .transform(Number)
        .refine((days) => days <= 366, 'a whole number from 1 to 366')
        .optional(),
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        devices: z.number(),
        by_status: z.object({
          factory_only: z.number(),
          active: z.number(),
          claimed: z.number(),
          revoked: z.number(),
        }),
        by_version: z.array(z.object({ board: z.string(), version: z.string(), devices: z.number() })),
        by_day: z.array(z.object({ day: z.string(), actions: z.record(z.string(), z.number()) })),
      }),
    },
    errors: [],
  }).handledBy(async ({ query: { days = DEFAULT_DAYS } }, { now }) => {
    const firstDay = isoTime(now - (days - 1) * DAY_MS).slice(0, 10);
    const { devices: count, byStatus, byVersion, byDay } = await summaries.readSummary(firstDay);
    return {
      status: 200,
      body: {
        ok: true,
        devices: count,
        by_status: { ...byStatus },
        by_version: byVersion.map((entry) => ({ ...entry })),
        by_day: byDay.map(({ day, actions }) => ({ day, actions: { ...actions } })),
      },
    };
  });

  return [devices, summary];
}

function fleetEntry(device: Device): z.input<typeof FleetEntry> {
  return {
    hw_id: device.hwId,
    serial: device.serial,
    thing_name: thingName(device.serial),
    status: fleetStateOf(device),
    board: device.board,
    batch: device.batch,
    firmware_version: device.firmware?.version ?? null,
    firmware_seen_at: device.firmware?.seenAt ?? null,
    created_at: device.createdAt,
    updated_at: device.updatedAt,
    claimed_at: device.owner?.claimedAt ?? null,
    replaced_by: device.replacedBy,
    has_public_key: device.publicKey !== null,
    metadata: { ...device.metadata },
  };
}
