import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError, type ErrorCode } from '../../http/errors.ts';
import { isoDateTime, textLine } from '../../http/fields.ts';
import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import { isoTime } from '../../platform/clock.ts';
import { createNonces } from '../../platform/nonces.ts';
import type { Services } from '../../platform/services.ts';
import { thingName } from '../device/device.ts';
import type { FleetStore } from '../device/store.ts';
import { SerialField } from '../fields.ts';
import { type ClaimOutcome, claimDevice, claimPurpose } from './claim.ts';
import { parseClaimCode } from './claim-code.ts';
import { createCodeHashes } from './code-hashes.ts';
import { createCountProof } from './proof-limit.ts';

/** Long enough to walk up to the device. */
const CHALLENGE_MS = 5 * 60 * 1000;
/** Enough for a gardener setting up a whole park, far too few to guess a 45-bit claim code. */
export const CLAIM_LIMIT = { requests: 100, windowSeconds: 600, andPerAddress: 300 } as const;

const CLAIM_REFUSALS: { readonly [O in Exclude<ClaimOutcome['outcome'], 'claimed' | 'already_owned'>]: string } = {
  device_not_found: 'There is no device with this serial number. Please check the label.',
  already_claimed: 'This device belongs to another account. Please ask its owner to remove it there first.',
  not_claimable: 'This device can’t be added right now. Please contact support.',
  claim_proof_required: "Please enter the claim code that is printed on the device's label.",
  claim_proof_invalid: 'This claim code is not right. Please check the label and try again.',
  account_deleted: 'This account has been deleted.',
} satisfies { readonly [C in ErrorCode]?: string };

const Base64 = z
  .string()
  .max(200)
  .regex(/^[A-Za-z0-9+/_-]+={0,2}$/, 'base64');

/** Claiming a device that has no owner. */
export function claimRoutes(services: Services, store: FleetStore, aliveCheck: AliveCheck): readonly Route[] {
  const { claimProof } = services.config;
  const countProof = createCountProof(services);
  const nonces = createNonces(services);
  const codes = createCodeHashes(services);

  const challenge = defineRoute({
    method: 'POST',
    path: '/claimChallenge',
    auth: 'cognito',
    idempotent: true,
    domain: 'fleet',
    summary: 'Issues a nonce for a device to sign instead of using its claim code',
    description:
      'Valid for five minutes, for this user and device, and for one claim. Any change to the device invalidates it. ' +
      "Issued for any serial, so it doesn't reveal whether the device exists.",
    rateLimit: CLAIM_LIMIT,
    body: z.strictObject({ serial: SerialField }),
    responses: {
      200: z.object({ ok: z.literal(true), serial: z.string(), nonce: z.string(), expires_at: isoDateTime }),
    },
    errors: [],
  }).handledBy(async ({ caller, body: { serial } }) => {
    const device = await store.findBySerial(serial);
    const { nonce, expiresAt } = await nonces.issue(claimPurpose(caller.uid, serial, device), CHALLENGE_MS);
    return { status: 200, body: { ok: true, serial, nonce, expires_at: isoTime(expiresAt) } };
  });

  const claim = defineRoute({
    method: 'POST',
    path: '/claimDevice',
    auth: 'cognito',
    idempotent: true,
    domain: 'fleet',
    summary: 'Claims a device for the user',
    description:
      'A device has one owner. The owner may repeat the request and gets `already_owned`; anybody else gets 409. A ' +
      'claim code is checked whenever it is sent, even if none is required. Where one is required, an unknown serial ' +
      'and a wrong code get the same answer. One person may try ten codes on one device in ten minutes, or three on ' +
      'a device that many people have tried. Instead of a code, a device with its own key can sign a nonce from ' +
      '`POST /claimChallenge`: the text `autowatering-claim-1`, the nonce and the hardware id, one per line.',
    rateLimit: CLAIM_LIMIT,
    body: z
      .strictObject({
        serial: SerialField,
        claim_code: textLine(32).optional(),
        proof: z.strictObject({ nonce: textLine(200), signature: Base64 }).optional(),
      })
      .refine(({ claim_code: code, proof }) => code === undefined || proof === undefined, 'one proof is enough'),
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
    const request = { serial: body.serial, claimCode: body.claim_code, signedNonce: body.proof };
    // A code with a wrong check character is a typo. It is not looked up and doesn't use up an attempt.
    const tries = request.signedNonce !== undefined || parseClaimCode(request.claimCode ?? '') !== undefined;
    if (tries) await countProof(request.serial, caller.uid);
    const result = await claimDevice(store, { claimProof, aliveCheck, nonces, codes }, request, caller.uid, now);
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

  return [challenge, claim];
}
