import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { textLine } from '../../http/fields.ts';
import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import type { Services } from '../../platform/services.ts';

import type { FleetStore } from '../device/store.ts';
import { HwIdField } from '../fields.ts';
import { createCodeHashes } from '../ownership/code-hashes.ts';
import { reissueClaimCode } from './reissue-claim-code.ts';
import { type ReplaceOutcome, replaceDevice } from './replace.ts';

const reason = textLine(200).optional();

const REPLACE_REFUSALS: { readonly [O in Exclude<ReplaceOutcome['outcome'], 'replaced' | 'already_done'>]: string } = {
  device_not_found: 'There is no device with one of these hardware ids.',
  not_revoked: 'Only a revoked device can be replaced: revoke it first.',
  no_former_owner: 'The revoked device belonged to nobody, or to an account that is gone.',
  already_replaced: 'Another unit has taken the place of this device already.',
  not_claimable: 'The new unit must be active and belong to nobody.',
};

/** What the workshop does with returned devices. */
export function serviceRoutes(services: Services, store: FleetStore, aliveCheck: AliveCheck): readonly Route[] {
  const codes = createCodeHashes(services);
  const replace = defineRoute({
    method: 'POST',
    path: '/replaceDevice',
    auth: 'factory',
    domain: 'fleet',
    summary: 'Replaces a revoked unit with a new one',
    description:
      'The new unit gets the owner the old one had when it was revoked, with its name and settings. Repeating the ' +
      'request for the same two units changes nothing.',
    body: z
      .strictObject({ old_hw_id: HwIdField, new_hw_id: HwIdField, reason })
      .refine(({ old_hw_id: old, new_hw_id: unit }) => old !== unit, 'two different devices'),
    responses: {
      200: z.object({
        ok: z.literal(true),
        replaced: z.literal(true),
        old_serial: z.string(),
        new_serial: z.string(),
        already_done: z.boolean(),
      }),
    },
    errors: ['device_not_found', 'not_revoked', 'no_former_owner', 'already_replaced', 'not_claimable'],
  }).handledBy(async ({ body, caller }, { now }) => {
    const { old_hw_id: oldHwId, new_hw_id: newHwId } = body;
    const actor = { kind: 'factory', station: caller.station } as const;
    const result = await replaceDevice(store, aliveCheck, { oldHwId, newHwId, actor, reason: body.reason }, now);
    services.metrics.count('DeviceReplaced', { outcome: result.outcome });
    if (result.outcome !== 'replaced' && result.outcome !== 'already_done') {
      throw new ApiError(result.outcome, REPLACE_REFUSALS[result.outcome]);
    }
    const serials = { old_serial: result.old.serial, new_serial: result.unit.serial };
    return {
      status: 200,
      body: { ok: true, replaced: true, ...serials, already_done: result.outcome === 'already_done' },
    };
  });

  const reissue = defineRoute({
    method: 'POST',
    path: '/reissueClaimCode',
    auth: 'factory',
    domain: 'fleet',
    summary: 'Issues a new claim code for a device without an owner',
    description: 'For a lost label or an answer that never arrived. The old code stops working.',
    body: z.strictObject({ hw_id: HwIdField, reason }),
    responses: {
      200: z.object({ ok: z.literal(true), hw_id: z.string(), serial: z.string(), claim_code: z.string() }),
    },
    errors: ['device_not_found', 'already_claimed'],
  }).handledBy(async ({ body, caller }, { now }) => {
    const actor = { kind: 'factory', station: caller.station } as const;
    const result = await reissueClaimCode(
      store,
      { randomness: services.randomness, codes },
      { hwId: body.hw_id, actor, reason: body.reason },
      now,
    );
    services.metrics.count('ClaimCodeReissued', { outcome: result.outcome });
    switch (result.outcome) {
      case 'device_not_found':
        throw new ApiError('device_not_found', 'There is no device with this hardware id.');
      case 'already_claimed':
        throw new ApiError('already_claimed', 'This device has an owner, who needs no claim code.');
      case 'reissued': {
        const { hwId, serial } = result.device;
        return { status: 200, body: { ok: true, hw_id: hwId, serial, claim_code: result.code } };
      }
    }
  });

  return [replace, reissue];
}
