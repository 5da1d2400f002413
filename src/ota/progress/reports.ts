import type { ReleaseVersion } from '@autowatering/release-format';
import type { Device, FleetDevices } from '../../fleet/index.ts';
import type { HwId, Serial, Uid } from '../../platform/ids.ts';
import type { Nonces } from '../../platform/nonces.ts';
import { OVERTAKEN } from '../../platform/resilience/overtaken.ts';
import type { Services } from '../../platform/services.ts';
import type { OfferService } from '../offer/offers.ts';
import type { Release, Track } from '../registry/release.ts';
import type { ReleaseStore } from '../registry/store.ts';
import type { ReadAlarms } from '../rollout/alarm-rate.ts';
import { haltIfTooBad } from '../rollout/halt.ts';
import type { ProgressStore } from './progress-store.ts';
import { checkReceipt, type ReceiptField, type ReceiptVerdict } from './receipt.ts';
import { planReport, type Report, type ReportStatus } from './report-plan.ts';

/** A report as a phone sends it. */
export interface PhoneReport extends Track {
  readonly serial: Serial | undefined;
  readonly hwId: HwId | undefined;
  readonly attemptId: string;
  readonly fromVersion: ReleaseVersion | undefined;
  /** Undefined when it could not be parsed; no release has such a version. */
  readonly version: ReleaseVersion | undefined;
  readonly status: ReportStatus;
  readonly offset: number | undefined;
  readonly errorCode: string | undefined;
  readonly phone: {
    readonly model?: string | undefined;
    readonly os?: string | undefined;
    readonly appVersion?: string | undefined;
  };
  readonly receipt: ReceiptField | undefined;
}

export type ReportOutcome =
  | {
      readonly outcome: 'recorded' | 'repeated';
      readonly serial: Serial;
      readonly version: ReleaseVersion;
      readonly verified: boolean;
      readonly receipt: ReceiptVerdict | undefined;
      /** Whether this report halted the release. */
      readonly halted: boolean;
    }
  | { readonly outcome: 'not_owned' | 'release_not_found' };

export interface ReportServices {
  readonly fleet: FleetDevices;
  readonly store: ReleaseStore;
  readonly progress: ProgressStore;
  readonly nonces: Nonces;
  readonly offers: Pick<OfferService, 'forget'>;
  readonly readAlarms: ReadAlarms;
}

/**
 * Records one report from an owner's phone, once per attempt and status, and halts the release if the report crosses
 * the threshold. Only the server's clock counts: a phone's clock may be wrong, and a batch may be days old.
 */
export async function recordReport(
  services: ReportServices,
  tools: Pick<Services, 'metrics' | 'log'>,
  report: PhoneReport & { readonly followsAnother: boolean },
  uid: Uid,
  now: number,
): Promise<ReportOutcome> {
  const { fleet, store } = services;
  const { version } = report;
  const read = (how: { readonly mayBeStale: boolean }) =>
    Promise.all([
      fleet.find({ hwId: report.hwId, serial: report.serial }, how),
      version === undefined ? undefined : store.readRelease(report, version, how),
    ]);
  // Slightly stale reads are good enough to go on but never to refuse: every write names what it was planned on.
  const mayBeStale = !report.followsAnother;
  let [device, release] = await read({ mayBeStale });
  if (mayBeStale && (device?.owner?.uid !== uid || !isPublished(release))) {
    [device, release] = await read({ mayBeStale: false });
  }
  if (device?.owner?.uid !== uid) return { outcome: 'not_owned' };
  if (!isPublished(release)) return { outcome: 'release_not_found' };
  const receipt =
    report.receipt === undefined ? undefined : await checkReceipt(services.nonces, device, release, report.receipt);
  const isVerified = receipt === 'verified' && report.status === 'confirmed';

  const isNew = await record(services.progress, release, device, report, isVerified, now);
  // Also after a repeated report: the first one may have been recorded and then cut off before this check.
  const ended = ENDINGS.has(report.status);
  const halted = (ended || release.alarmPolicy !== null) && (await haltIfTooBad(services, tools, release, ended, now));
  if (halted) services.offers.forget(release);
  // Only for new reports: an old batch that is sent again doesn't say what the device runs now.
  if (isNew && report.status === 'confirmed') {
    await fleet.recordFirmware(device, release.version, { kind: 'user', uid }, now);
  }
  const { serial } = device;
  const outcome = isNew ? 'recorded' : 'repeated';
  return { outcome, serial, version: release.version, verified: isVerified, receipt, halted };
}

function isPublished(release: Release | undefined): release is Release {
  return release !== undefined && release.publishedAt !== null;
}

const ENDINGS: ReadonlySet<ReportStatus> = new Set(['confirmed', 'reverted', 'failed']);

/** @returns false when this attempt has reported this status before */
async function record(
  progress: ProgressStore,
  release: Release,
  device: Device,
  from: PhoneReport & { readonly followsAnother: boolean },
  isVerified: boolean,
  now: number,
): Promise<boolean> {
  const { attemptId, status, errorCode, phone } = from;
  const report: Report = { hwId: device.hwId, attemptId, status, errorCode, phoneModel: phone.model, isVerified };
  let mayBeStale = !from.followsAnother;
  return progress.whileOvertaken(`A report of attempt ${attemptId}`, async () => {
    const known = await progress.readForReport(release, report, { mayBeStale });
    mayBeStale = false;
    if (known.isRepeated) return false;
    const plan = planReport(report, known.device, known.attempt, now);
    return (await progress.commit(release, report, known, plan, factsOf(from), now)) ? true : OVERTAKEN;
  });
}

function factsOf({ fromVersion, offset, errorCode, phone }: PhoneReport): Record<string, string | number> {
  return {
    ...(fromVersion === undefined ? {} : { from_version: fromVersion }),
    ...(offset === undefined ? {} : { upload_offset: offset }),
    ...(errorCode === undefined ? {} : { error_code: errorCode }),
    ...(phone.model === undefined ? {} : { phone_model: phone.model }),
    ...(phone.os === undefined ? {} : { phone_os: phone.os }),
    ...(phone.appVersion === undefined ? {} : { app_version: phone.appVersion }),
  };
}
