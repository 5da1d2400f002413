import type { DeviceCommands } from './device-commands.ts';
import { type UploadProgress, uploadImage } from './image-upload.ts';
import type { PhoneSession } from './phone-session.ts';
import { type SmpClient, SmpError, SmpTimeoutError } from './smp-client.ts';

export interface UploadStepOptions {
  readonly image: Uint8Array;
  readonly onProgress?: (progress: UploadProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Uploads an image with one chunk in flight per device buffer, minus one for the answer, each as long as device and
 * channel accept.
 */
export async function uploadStep(
  session: PhoneSession,
  commands: DeviceCommands,
  client: SmpClient,
  { image, onProgress, signal }: UploadStepOptions,
): Promise<void> {
  const { bufferBytes, bufferCount } = await commands.parameters();
  const window = Math.max(1, bufferCount - 1);
  const most = await packetLimit(commands, client, bufferBytes);
  await uploadImage(commands, image, {
    ...{ largestPacket: window > 1 ? wholeWrites(most, client.writeBytes) : most, window, signal },
    onProgress(progress) {
      session.progressed(progress.sentBytes);
      onProgress?.(progress);
    },
  });
}

/** Below this gain, testing for reassembly is not worth it. */
const WORTH_ASKING_BYTES = 32;

/**
 * How long a packet may be. Firmware without reassembly takes only what fits into one write. It does not report this,
 * so an echo that needs two writes tests it (facts sheet, D2).
 */
async function packetLimit(commands: DeviceCommands, client: SmpClient, bufferBytes: number): Promise<number> {
  const most = Math.min(bufferBytes, client.largestPacket);
  if (most < client.writeBytes + WORTH_ASKING_BYTES) return Math.min(most, client.writeBytes);
  try {
    await commands.echo(' '.repeat(client.writeBytes));
    return most;
  } catch (error) {
    if (!(error instanceof SmpError) && !(error instanceof SmpTimeoutError)) throw error;
    return client.writeBytes;
  }
}

/** Where packets follow each other without a pause, partly filled writes are what slows an upload. */
function wholeWrites(packetBytes: number, writeBytes: number): number {
  return packetBytes < writeBytes ? packetBytes : packetBytes - (packetBytes % writeBytes);
}
