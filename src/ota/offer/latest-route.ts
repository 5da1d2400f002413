import { type Device, type FleetDevices, notUnderstood } from '../../fleet/index.ts';
import { isPersonal } from '../../http/caller.ts';
import { deferred } from '../../http/deferred-schema.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { isoTime } from '../../platform/clock.ts';
import type { HwId, Uid } from '../../platform/ids.ts';
import type { Nonces } from '../../platform/nonces.ts';
import type { Services } from '../../platform/services.ts';
import type { ProgressStore } from '../progress/progress-store.ts';
import { RECEIPT_MS, receiptPurpose } from '../progress/receipt-purpose.ts';
import type { DeviceProgress } from '../progress/report-plan.ts';
import { orUnavailable } from '../route-errors.ts';
import { acceptLatestQuery } from './accept-input.ts';
import type { DecisionSigner } from './decision-signature.ts';
import { knownProgress } from './known-progress.ts';
import { decisionBody, latestBody, verdictFor } from './latest-answer.ts';
import { findForCaller, targetOf } from './named-device.ts';
import type { LatestQuery } from './offer-schemas.ts';
import type { OfferAnswer, OfferService } from './offers.ts';

/** How long a phone may keep an offer without asking again. */
const OFFER_MS = 24 * 60 * 60 * 1000;

export interface LatestServices {
  readonly offers: OfferService;
  readonly progress: ProgressStore;
  readonly fleet: FleetDevices;
  readonly nonces: Nonces;
  readonly signer: DecisionSigner;
}

/** `GET /ota/latest`: which firmware a device should run. */
export function latestRoute(services: Services, parts: LatestServices): Route {
  const { offers, fleet, signer } = parts;
  return defineRoute({
    method: 'GET',
    path: '/ota/latest',
    auth: 'cognito-optional',
    openToPeers: true,
    domain: 'ota',
    summary: 'Returns the firmware the device should run',
    description:
      'The newest release the device may have: published, for its place in the rollout or on the allow-list, and ' +
      'installable over `current_version` by `bootloader_version`. `update_available` is true when it is an update. ' +
      'Otherwise `reason` says why not; `withheld` names the newest release the device may not have. Without a ' +
      'device only releases for everybody are offered; a `serial` without `hw_id` works for the owner of the device. ' +
      "`artifact.image_hash` is the image's hash as mcumgr reports it; a device that reports it already needs no " +
      'upload. `signed.payload` is the decision in base64url, signed with Ed25519 (docs/ota.md); it may be kept ' +
      'offline until `offer_expires_at`. A changed release is visible within a second; the download URL is valid for ' +
      '15 minutes. A version that can’t be understood counts as unknown and is listed in `not_understood`.',
    query: deferred(async () => (await import('./offer-schemas.ts')).LatestQuery, acceptLatestQuery),
    responses: async () => (await import('./offer-schemas.ts')).LATEST_RESPONSES,
    errors: ['registry_unavailable'],
    openToDeletedAccounts: true,
  }).handledBy(async ({ query, caller }, { now, log }) => {
    const { current_version: current, bootloader_version: bootloader } = query;
    const asking = async () => {
      const device = await orUnavailable(findForCaller(fleet, query, caller));
      const versions = { current: current?.version, bootloader: bootloader?.version };
      return { device, answer: await offers.ask(query, targetOf(query, device), versions) };
    };
    // The keys are needed only at the end; a container's first request reads them meanwhile.
    const [{ device, answer }] = await Promise.all([asking(), orUnavailable(signer.keys())]);
    const owner = isPersonal(caller) && device?.owner?.uid === caller.uid ? caller.uid : undefined;
    const isOwner = owner !== undefined;
    const known = await knownProgress(parts.progress, answer, device);
    const verdict = verdictFor(answer, device, known, now);
    if (owner !== undefined) {
      await noteSeen(services, parts, { query, answer, device, known, uid: owner }, now).catch((error: unknown) =>
        // These are only statistics: no device misses its update because of them.
        log.warn('Could not record that a device was seen', {}, error),
      );
    }
    services.metrics.count('OtaLatest', { reason: verdict.reason });

    const { withheld } = answer.decision;
    // Whole seconds, so that equal answers within a second share a signature.
    const issuedAt = Math.floor(now / 1000) * 1000;
    const expiresAt = isoTime(issuedAt + OFFER_MS);
    const hwId = signingDevice(query, device, isOwner);
    const nonce =
      verdict.updateAvailable && verdict.offered !== undefined && hwId !== undefined
        ? await orUnavailable(parts.nonces.issue(receiptPurpose({ hwId }, verdict.offered.release.version), RECEIPT_MS))
        : undefined;
    // Where answers are signed, phones would refuse an unsigned one anyway.
    const signed = await orUnavailable(signer.sign(decisionBody(query, verdict, issuedAt, expiresAt)));
    return {
      status: 200,
      body: {
        ok: true,
        update_available: verdict.updateAvailable,
        latest: verdict.offered === undefined ? null : latestBody(verdict.offered),
        reason: verdict.reason,
        ...notUnderstood({ current_version: current, bootloader_version: bootloader }),
        ...(withheld === undefined ? {} : { withheld: { ...withheld } }),
        ...(verdict.blockedUntil === undefined ? {} : { blocked_until: isoTime(verdict.blockedUntil) }),
        ...(verdict.updateAvailable ? { offer_expires_at: expiresAt } : {}),
        ...(nonce === undefined ? {} : { receipt_nonce: nonce.nonce }),
        ...(signed === undefined
          ? {}
          : { signed: { payload: signed.payload, signatures: signed.signatures.map((one) => ({ ...one })) } }),
      },
    };
  });
}

/** Who is to sign a receipt. Strangers get the same answer for every chip, so the nonce reveals nothing about it. */
function signingDevice({ hw_id: named }: LatestQuery, device: Device | undefined, isOwner: boolean): HwId | undefined {
  if (isOwner) return device?.publicKey == null ? undefined : device.hwId;
  return named;
}

/** Records that an owner's device has asked since the release was published, and what it runs. */
async function noteSeen(
  services: Services,
  { progress, fleet }: LatestServices,
  seen: {
    readonly query: LatestQuery;
    readonly answer: OfferAnswer;
    readonly device: Device | undefined;
    readonly known: DeviceProgress;
    readonly uid: Uid;
  },
  now: number,
): Promise<void> {
  const { query, answer, device, known, uid } = seen;
  if (device === undefined) return;
  const release = answer.offered?.release;
  if (release !== undefined && release.revision > 0 && !known.isReached) {
    await progress.markReached(release, device.hwId, known, now);
  }
  const running = query.current_version?.version;
  if (running !== undefined && running !== device.firmware?.version) {
    services.metrics.count('FirmwareSeen');
    await fleet.recordFirmware(device, running, { kind: 'user', uid }, now);
  }
}
