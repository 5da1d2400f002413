import * as z from 'zod';
import { storableDocument } from '../http/body/storable-json.ts';
import { defineRoute, type Route } from '../http/define-route.ts';
import { ApiError } from '../http/errors.ts';
import { isoDateTime, textLine } from '../http/fields.ts';
import { isoTime } from '../platform/clock.ts';
import type { Services } from '../platform/services.ts';
import { takeBackIfDeleted } from './deleted-meanwhile.ts';
import { LARGEST_STATE_BYTES } from './state.ts';
import type { AccountStore } from './store.ts';
import { readUserState, saveUserState, stateObjectPrefix } from './user-state.ts';

/** A 512 KiB state may arrive with every character escaped. */
const STATE_BODY_BYTES = 2 * LARGEST_STATE_BYTES;
const PER_MINUTE = { requests: 120, windowSeconds: 60 } as const;

/** Reads and saves the app's state, one opaque document. */
export function stateRoutes(store: AccountStore, services: Services): readonly Route[] {
  const { clock, objectStore } = services;

  const getUserState = defineRoute({
    method: 'GET',
    path: '/getUserState',
    auth: 'cognito',
    domain: 'account',
    summary: "The app's saved state",
    description: '`state` is null and `docVersion` 0 for a user who never saved one.',
    responses: {
      200: z.object({
        uid: z.string(),
        state: z.record(z.string(), z.unknown()).nullable(),
        updatedAt: isoDateTime.nullable(),
        version: z.string().nullable(),
        docVersion: z.number(),
      }),
    },
    errors: [],
  }).handledBy(async ({ caller }) => {
    const found = await readUserState(store, services, caller.uid);
    const nothing = { state: null, updatedAt: null, version: null, docVersion: 0 };
    return { status: 200, body: { uid: caller.uid, ...(found ?? nothing) } };
  });

  const saveState = defineRoute({
    method: 'POST',
    path: '/saveUserState',
    auth: 'cognito',
    domain: 'account',
    summary: "Saves the app's state",
    description:
      'Replaces the whole document, at most 512 KiB of JSON. With `baseDocVersion` (the `docVersion` last read, or ' +
      '0), a save that would overwrite a newer state is rejected: 409 `optimistic_lock_failed`, with the newer state ' +
      'in `details.current`.',
    rateLimit: PER_MINUTE,
    bodyLimit: STATE_BODY_BYTES,
    body: z.strictObject({
      state: storableDocument,
      version: textLine(64).optional(),
      baseDocVersion: z.int().min(0).optional(),
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        bytes: z.number(),
        version: z.string().nullable(),
        updatedAt: isoDateTime,
        docVersion: z.number(),
      }),
    },
    errors: ['optimistic_lock_failed'],
  }).handledBy(async ({ caller, body }, { now }) => {
    const { state, version, baseDocVersion } = body;
    const outcome = await saveUserState(store, services, caller.uid, { state, version, baseDocVersion }, now);
    if (!outcome.saved && outcome.reason === 'too_large') {
      throw new ApiError(
        'payload_too_large',
        'Your data has grown too large to save. Please remove something you no longer need.',
        {
          details: { bytes: outcome.bytes, limit: outcome.limit },
        },
      );
    }
    if (!outcome.saved) {
      throw new ApiError(
        'optimistic_lock_failed',
        'There is newer data from another phone. Please reload, then make your change again.',
        {
          details: { current: outcome.current },
        },
      );
    }
    await takeBackIfDeleted(store, caller.uid, clock.now(), async () => {
      await store.removeRecord(caller.uid, 'state');
      await objectStore.removeAll(stateObjectPrefix(caller.uid));
    });
    const { bytes, docVersion } = outcome;
    return { status: 200, body: { ok: true, bytes, version: version ?? null, updatedAt: isoTime(now), docVersion } };
  });

  return [getUserState, saveState];
}
