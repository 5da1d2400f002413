import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { isoDateTime, textLine } from '../../http/fields.ts';
import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import { isoTime } from '../../platform/clock.ts';
import type { Services } from '../../platform/services.ts';

import type { FleetStore } from '../device/store.ts';
import { SerialField } from '../fields.ts';
import { parseClaimCode } from './claim-code.ts';
import { CLAIM_LIMIT } from './claim-routes.ts';
import { createCodeHashes } from './code-hashes.ts';
import { createCountProof } from './proof-limit.ts';
import { acceptTransfer, cancelTransfer, offerTransfer } from './transfer.ts';

/** Transfer from one owner to the next, without a moment in which somebody else could claim the device. */
export function transferRoutes(services: Services, store: FleetStore, aliveCheck: AliveCheck): readonly Route[] {
  const countProof = createCountProof(services);
  const codes = createCodeHashes(services);

  const transfer = defineRoute({
    method: 'POST',
    path: '/transferDevice',
    auth: 'cognito',
    domain: 'fleet',
    summary: 'Transfers a device to another user',
    description:
      'The owner sends `{ serial }` and gets a `transfer_code` to pass on, shown once and valid for 24 hours; ' +
      '`cancel: true` withdraws it. The next owner sends `{ serial, transfer_code }` and gets the device with its ' +
      'name and settings. Until then it stays with its owner. Any problem with a code returns 403 ' +
      '`transfer_invalid`.',
    rateLimit: CLAIM_LIMIT,
    body: z
      .strictObject({ serial: SerialField, transfer_code: textLine(32).optional(), cancel: z.literal(true).optional() })
      .refine(
        ({ transfer_code: code, cancel }) => code === undefined || cancel === undefined,
        'accept or cancel, not both',
      ),
    responses: {
      200: z.object({
        ok: z.literal(true),
        state: z.enum(['offered', 'cancelled', 'transferred']),
        serial: z.string(),
        hw_id: z.string(),
        transfer_code: z.string().optional(),
        expires_at: isoDateTime.optional(),
        owner_uid: z.string().optional(),
        claimed_at: isoDateTime.optional(),
        already_owned: z.boolean().optional(),
      }),
    },
    errors: ['not_owned', 'transfer_invalid'],
  }).handledBy(async ({ caller, body }, { now }) => {
    const { serial, transfer_code: code, cancel } = body;
    if (code !== undefined) {
      if (parseClaimCode(code) !== undefined) await countProof(serial, caller.uid);
      const result = await acceptTransfer(store, { aliveCheck, codes }, { serial, code }, caller.uid, now);
      services.metrics.count('DeviceTransfer', { outcome: result.outcome });
      if (result.outcome === 'account_deleted') throw new ApiError('account_deleted', 'This account has been deleted.');
      if (result.outcome !== 'transferred' && result.outcome !== 'already_owned') {
        throw new ApiError('transfer_invalid', 'This code is not right or has expired. Please ask for a new one.');
      }
      const owned = { owner_uid: caller.uid, claimed_at: result.claimedAt };
      const already = { already_owned: result.outcome === 'already_owned' };
      return {
        status: 200,
        body: { ok: true, state: 'transferred', serial, hw_id: result.device.hwId, ...owned, ...already },
      };
    }
    const offer =
      cancel === undefined
        ? await offerTransfer(store, { randomness: services.randomness, codes }, serial, caller.uid, now)
        : await cancelTransfer(store, serial, caller.uid, now);
    services.metrics.count('DeviceTransfer', { outcome: offer.outcome });
    if (offer.outcome === 'not_owned') throw new ApiError('not_owned', 'This device is not in your account.');
    const told = offer.outcome === 'offered' ? { transfer_code: offer.code, expires_at: isoTime(offer.expiresAt) } : {};
    return { status: 200, body: { ok: true, state: offer.outcome, serial, hw_id: offer.device.hwId, ...told } };
  });

  return [transfer];
}
