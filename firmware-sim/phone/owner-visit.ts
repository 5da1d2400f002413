import { releaseVersionOfReport } from '@autowatering/release-format';
import { LinkLostError } from '../link/transport.ts';
import { type BackendClient, DownloadError, type Offer, type Report, type ReportStatus } from './backend-client.ts';
import { PHONE_PROFILES, type PhoneProfile, type PhoneProfileName } from './phone-profile.ts';
import { ReportQueue } from './report-queue.ts';
import { SmpTimeoutError } from './smp-client.ts';
import type { UpdateOptions, UpdateOutcome, UpdatePhase } from './update-device.ts';

export interface VisitOptions extends Omit<UpdateOptions, 'image' | 'receiptNonce'> {
  readonly backend: BackendClient;
  readonly serial: string;
  /** In mcumgr's format. */
  readonly runningVersion: string;
  /** The phone's own id of this attempt, kept when it tries again after an interruption. */
  readonly attemptId: string | ((offer: Offer) => string);
  /** Where reports wait for a network. Default: with this visit. */
  readonly reports?: ReportQueue;
  readonly phone?: Report['phone'];
  /** How the phone's app behaves. Default: the simulator's own. */
  readonly profile?: PhoneProfileName;
  /** Runs work outside the simulated time, such as a network request. */
  readonly outside?: <T>(work: () => Promise<T>) => Promise<T>;
  readonly onOffer?: (offer: Offer) => void;
}

export type VisitOutcome =
  /** Nothing was offered, for this reason. */
  | { readonly outcome: 'nothing_offered'; readonly reason: string }
  /** The download did not match the offer, and the phone sent nothing to the device. */
  | { readonly outcome: 'bad_download'; readonly reason: string }
  /** The device went out of reach. */
  | { readonly outcome: 'lost'; readonly phase: UpdatePhase; readonly version: string }
  | (UpdateOutcome & { readonly isVerified: boolean });

/** The report status of each phase of the update flow; other phases are not reported. */
const STATUS_OF_PHASE: Partial<Record<UpdatePhase, ReportStatus>> = { uploading: 'uploading', testing: 'testing' };

/**
 * An owner's phone near its device: it asks for an offer, downloads and verifies the image, updates the device, and
 * reports each phase to the backend if its app reports at all.
 */
export async function visitDevice(options: VisitOptions): Promise<VisitOutcome> {
  const { backend, serial, outside = (work) => work() } = options;
  const fromVersion = releaseVersionOfReport(options.runningVersion);
  const profile: PhoneProfile = PHONE_PROFILES[options.profile ?? 'own'];
  const answer = await outside(() => backend.latest(profile.namesDevice ? serial : undefined, fromVersion));
  if (answer.offer === undefined) return { outcome: 'nothing_offered', reason: answer.reason };
  const { offer } = answer;
  options.onOffer?.(offer);
  const { reports = new ReportQueue(backend) } = options;
  const attemptId = typeof options.attemptId === 'string' ? options.attemptId : options.attemptId(offer);
  const report = async (status: ReportStatus, fields: Partial<Report> = {}) => {
    if (!profile.reports) return;
    await outside(() =>
      reports.add({
        ...{ serial, version: offer.version, from_version: fromVersion, attempt_id: attemptId, status },
        ...(options.phone && { phone: options.phone }),
        ...fields,
      }),
    );
  };
  await report('offered');
  let image: Uint8Array;
  try {
    image = await outside(() => backend.download(offer));
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    // The file was damaged on its way to the phone, which must not count against the release.
    await report('failed', { error_code: 'download_damaged' });
    return { outcome: 'bad_download', reason: error.message };
  }
  await report('on_phone');

  let phase: UpdatePhase = 'connecting';
  let told: Promise<void> = Promise.resolve();
  let outcome: UpdateOutcome;
  try {
    outcome = await profile.update({
      ...options,
      image,
      ...(offer.nonce !== undefined && { receiptNonce: offer.nonce }),
      onPhase(entered) {
        phase = entered;
        const status = STATUS_OF_PHASE[entered];
        if (status !== undefined) told = told.then(() => report(status));
        // A failure is handled by the await below.
        told.catch(() => {});
        options.onPhase?.(entered);
      },
    });
  } catch (error) {
    await told;
    // A connected device that never answers counts as out of reach.
    if (!(error instanceof LinkLostError) && !(error instanceof SmpTimeoutError)) throw error;
    await report('failed', { error_code: 'link_lost' });
    return { outcome: 'lost', phase, version: offer.version };
  }
  await told;
  await tellEnding(report, outcome);
  return { ...outcome, isVerified: reports.isVerified };
}

async function tellEnding(
  report: (status: ReportStatus, fields?: Partial<Report>) => Promise<void>,
  outcome: UpdateOutcome,
): Promise<void> {
  switch (outcome.outcome) {
    case 'confirmed':
    case 'already_running':
      return report('confirmed', outcome.receipt === undefined ? {} : { receipt: outcome.receipt });
    case 'rolled_back':
      return report('reverted', { error_code: 'self_test_failed' });
    case 'refused':
      return report('failed', { error_code: errorCodeOf(outcome.phase) });
    case 'unconfirmed':
      // Not known yet: the next reset rolls it back, and the next visit will notice.
      return;
  }
}

/** A bootloader that refuses an image counts against the release; a busy or full device does not. */
function errorCodeOf(phase: UpdatePhase): string {
  return phase === 'validating' ? 'invalid_image' : `refused_while_${phase}`;
}
