import type { UpdatePhase } from '../phone/update-device.ts';

/** A phone that was near may come back for more: its app connects once for each thing it does. */
export const QUIET_MS = 60_000;
/** How often the hub asks for each device. */
export const CHECK_MS = 15 * 60_000;
const FIRST_RETRY_MS = 30_000;
const LONGEST_RETRY_MS = 60 * 60_000;

/** What the hub knows about a device in range. Times are milliseconds of one clock. */
export interface DeviceKnowledge {
  /** When a phone was last heard near it. */
  readonly phoneHeardAt?: number | undefined;
  /** When the hub was last there, whatever came of it. */
  readonly visitedAt?: number | undefined;
  /** Visits in a row that failed for a reason that may pass: no network, out of reach. */
  readonly failures: number;
  /** Somebody else may flash it until then. */
  readonly leasedUntil?: number | undefined;
}

export type Due = { readonly isDue: true } | { readonly isDue: false; readonly why: WaitReason; readonly at: number };
export type WaitReason = 'phone_near' | 'leased' | 'failed' | 'visited';

/** Whether the hub should turn to a device now, and if not, why and until when it waits. */
export function whenDue(known: DeviceKnowledge, now: number): Due {
  const waits: readonly [WaitReason, number | undefined][] = [
    ['phone_near', known.phoneHeardAt === undefined ? undefined : known.phoneHeardAt + QUIET_MS],
    ['leased', known.leasedUntil],
    known.failures > 0
      ? ['failed', known.visitedAt === undefined ? undefined : known.visitedAt + retryMs(known.failures)]
      : ['visited', known.visitedAt === undefined ? undefined : known.visitedAt + CHECK_MS],
  ];
  let longest: Due = { isDue: true };
  for (const [why, at] of waits) {
    if (at !== undefined && at > now && (longest.isDue || at > longest.at)) longest = { isDue: false, why, at };
  }
  return longest;
}

/** The pause after that many failures in a row. */
export function retryMs(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20));
}

/**
 * Whether the hub may leave a device in that phase for a phone. Once the new firmware is on trial it may not: unconfirmed,
 * the next reset would take it away. What is left then takes a moment, and no phone can connect while the device swaps.
 */
export function mayLeave(phase: UpdatePhase | undefined): boolean {
  return phase !== 'resetting' && phase !== 'validating' && phase !== 'confirming';
}
