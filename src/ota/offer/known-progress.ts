import type { Device } from '../../fleet/index.ts';
import type { ProgressStore } from '../progress/progress-store.ts';
import { type DeviceProgress, NO_PROGRESS } from '../progress/report-plan.ts';
import { orUnavailable } from '../route-errors.ts';
import type { OfferAnswer } from './offers.ts';

/** The device's progress with the release in the answer; the environment's own release has no records. */
export async function knownProgress(
  progress: Pick<ProgressStore, 'readProgress'>,
  { offered }: OfferAnswer,
  device: Device | undefined,
  how?: { readonly mayBeStale: boolean },
): Promise<DeviceProgress> {
  if (offered === undefined || offered.release.revision === 0 || device === undefined) return NO_PROGRESS;
  return orUnavailable(progress.readProgress(offered.release, device.hwId, how));
}
