import type { HwId } from '../../platform/ids.ts';

/** How far an update has come on a device, as its phone reports it. */
export const REPORT_STATUSES = [
  ...(['offered', 'on_phone', 'uploading', 'testing', 'confirmed', 'reverted', 'failed'] as const),
] as const;
export type ReportStatus = (typeof REPORT_STATUSES)[number];

export interface Report {
  readonly hwId: HwId;
  readonly attemptId: string;
  readonly status: ReportStatus;
  readonly errorCode: string | undefined;
  readonly phoneModel: string | undefined;
  /** Whether it came with a valid receipt from the device. */
  readonly isVerified: boolean;
}

/** What is known about one device and one release. */
export interface DeviceProgress {
  readonly revision: number;
  readonly statuses: readonly ReportStatus[];
  readonly isReached: boolean;
  /** Confirmed, or failed because of the firmware; counted once. */
  readonly isFinished: boolean;
  readonly hasFailed: boolean;
  readonly isVerified: boolean;
  /** Consecutive attempts that failed because of the firmware. */
  readonly failuresInRow: number;
  /** Milliseconds since 1970. Until then the release is not offered to the device again. */
  readonly blockedUntil: number | null;
}

export const NO_PROGRESS: DeviceProgress = {
  revision: 0,
  statuses: [],
  isReached: false,
  isFinished: false,
  hasFailed: false,
  isVerified: false,
  failuresInRow: 0,
  blockedUntil: null,
};

export interface AttemptProgress {
  /** Whether the attempt already counted as a firmware failure: rolled back and failed is one failure. */
  readonly hasFailed: boolean;
}

export const COUNTERS = [
  ...(['reached', 'offered', 'on_phone', 'uploading', 'testing', 'confirmed', 'reverted', 'failed'] as const),
  ...(['finished', 'failures', 'verified'] as const),
] as const;
export type Counter = (typeof COUNTERS)[number];

export const BREAKDOWNS = ['error', 'model', 'hour'] as const;
export type Breakdown = (typeof BREAKDOWNS)[number];
export type Ending = 'confirmed' | 'failures' | 'interrupted';

export interface ReportPlan {
  readonly progress: DeviceProgress;
  readonly countsAsFailure: boolean;
  readonly counts: Readonly<Partial<Record<Counter, number>>>;
  readonly breakdowns: readonly { readonly by: Breakdown; readonly value: string; readonly ending: Ending }[];
}

/** Failed attempts after which a release is withheld from a device, and for how long. */
const MOST_FAILURES = 3;
export const BLOCK_MS = 24 * 60 * 60 * 1000;

/** What a new report changes. Devices are counted, not reports: a device's second failure doesn't count again. */
export function planReport(
  report: Report,
  progress: DeviceProgress,
  attempt: AttemptProgress,
  now: number,
): ReportPlan {
  const { status, errorCode, phoneModel } = report;
  const isFault = isFirmwareFault(status, errorCode);
  const isNewFailure = isFault && !attempt.hasFailed;
  const isEnding = status === 'confirmed' || status === 'reverted' || status === 'failed';
  const finishes = (status === 'confirmed' || isFault) && !progress.isFinished;
  const one = (counter: Counter, isCounted: boolean) => (isCounted ? { [counter]: 1 } : {});
  const ending: Ending = status === 'confirmed' ? 'confirmed' : isFault ? 'failures' : 'interrupted';
  const hour = new Date(now).toISOString().slice(0, 13);
  return {
    progress: {
      revision: progress.revision + 1,
      statuses: progress.statuses.includes(status) ? progress.statuses : [...progress.statuses, status],
      isReached: true,
      isFinished: progress.isFinished || finishes,
      hasFailed: progress.hasFailed || isFault,
      isVerified: progress.isVerified || report.isVerified,
      ...patience(progress, status, isNewFailure, now),
    },
    countsAsFailure: isFault,
    counts: {
      ...one('reached', !progress.isReached),
      ...one(status, !progress.statuses.includes(status)),
      ...one('finished', finishes),
      ...one('failures', isFault && !progress.hasFailed),
      ...one('verified', report.isVerified && !progress.isVerified),
    },
    breakdowns: isEnding
      ? [
          { by: 'hour', value: hour, ending },
          { by: 'model', value: phoneModel ?? 'unknown', ending },
          ...(errorCode === undefined ? [] : [{ by: 'error', value: errorCode, ending } as const]),
        ]
      : [],
  };
}

function patience(progress: DeviceProgress, status: ReportStatus, isNewFailure: boolean, now: number) {
  if (status === 'confirmed') return { failuresInRow: 0, blockedUntil: null };
  const failures = progress.failuresInRow + (isNewFailure ? 1 : 0);
  if (failures < MOST_FAILURES) return { failuresInRow: failures, blockedUntil: progress.blockedUntil };
  return { failuresInRow: 0, blockedUntil: now + BLOCK_MS };
}

/** Words in an error code that blame the firmware rather than the radio, the battery or the person. */
const FAULT_WORDS =
  /(^|_)(integrity|hash|checksum|signature|self_?test|invalid_image|image_invalid|boot|watchdog)(_|$)/;

/**
 * Only a rollback and failed checks count against a release. A lost link interrupts progress; it isn't a firmware
 * failure.
 */
export function isFirmwareFault(status: ReportStatus, errorCode: string | undefined): boolean {
  if (status === 'reverted') return true;
  return status === 'failed' && errorCode !== undefined && FAULT_WORDS.test(errorCode);
}
