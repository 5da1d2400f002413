import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { isoDateTime, pageCursor, pageLimit } from '../../http/fields.ts';
import { decodeCursor, encodeCursor } from '../../platform/cursor.ts';
import type { Uid } from '../../platform/ids.ts';

import type { FleetStore } from '../device/store.ts';
import { isAuditRecord } from '../device/stored-items.ts';
import { HwIdField, MetadataValue } from '../fields.ts';
import { actorText, personText, type StoredAuditEntry, type StoredStanding } from './audit.ts';

const DEFAULT_PAGE = 50;

const Standing = z.object({ state: z.string(), owner: z.string().optional() });

/** The history of a device. */
export function auditRoutes(store: FleetStore): readonly Route[] {
  const deviceAudit = defineRoute({
    method: 'GET',
    path: '/deviceAudit',
    auth: 'factory',
    domain: 'fleet',
    summary: 'Lists the history of a device',
    description:
      'Newest first, at most `limit` (1–100, default 50) per page; `next_cursor` leads to the rest. `actor_uid` is ' +
      '`user:<uid>`, `factory:<station>`, `admin` or `system`. A user whose account was deleted is ' +
      '`user:deleted-<pseudonym>`.',
    query: z.object({ hw_id: HwIdField, limit: pageLimit, cursor: pageCursor }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        hw_id: z.string(),
        count: z.number(),
        audit_trail: z.array(
          z.object({
            action: z.string(),
            actor_uid: z.string(),
            timestamp: isoDateTime,
            reason: z.string().optional(),
            details: z.object({
              before: Standing.nullable(),
              after: Standing,
              facts: z.record(z.string(), MetadataValue).optional(),
            }),
          }),
        ),
        next_cursor: z.string().optional(),
      }),
    },
    errors: ['device_not_found'],
  }).handledBy(async ({ query }) => {
    const { hw_id: hwId, limit = DEFAULT_PAGE } = query;
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    if (query.cursor !== undefined && (after === undefined || !isAuditRecord(after))) {
      throw validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }], 'machine');
    }
    const [device, page] = await Promise.all([store.readDevice(hwId), store.listAudit(hwId, limit, after)]);
    if (device === undefined) throw new ApiError('device_not_found', 'There is no device with this hardware id.');
    const names = await store.namesOf([...new Set(page.entries.flatMap(personsIn))], hwId);
    const trail = page.entries.map((entry) => entryBody(entry, names));
    const next = page.next === undefined ? {} : { next_cursor: encodeCursor(page.next) };
    return { status: 200, body: { ok: true, hw_id: hwId, count: trail.length, audit_trail: trail, ...next } };
  });

  return [deviceAudit];
}

function personsIn({ actor, before, after }: StoredAuditEntry): string[] {
  const acting = actor.startsWith('person:') ? [actor.slice('person:'.length)] : [];
  return [...acting, ...[before?.owner, after.owner].filter((owner) => owner !== undefined)];
}

function entryBody(entry: StoredAuditEntry, names: ReadonlyMap<string, Uid>) {
  const standing = ({ state, owner }: StoredStanding) =>
    owner === undefined ? { state } : { state, owner: personText(owner, names) };
  const { action, actor, timestamp, reason, before, after, facts } = entry;
  return {
    action,
    actor_uid: actorText(actor, names),
    timestamp,
    ...(reason === undefined ? {} : { reason }),
    details: {
      before: before === undefined ? null : standing(before),
      after: standing(after),
      ...(facts === undefined ? {} : { facts: { ...facts } }),
    },
  };
}
