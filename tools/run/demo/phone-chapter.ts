import {
  BleLink,
  backendClient,
  type SimulatedDevice,
  type UpdateOutcome,
  updateDevice,
  type VirtualTime,
  type VisitOutcome,
  visitDevice,
} from '@autowatering/firmware-sim';
import type { StackFile } from '../local-stack/stack-file.ts';
import type { Story } from './story.ts';

const MTU = 247;
/** Longer than any reset. */
const RESET_MS = 60_000;

/** The demo's device and its virtual time: an update takes a minute of radio time, but only a moment to run. */
export interface Garden {
  readonly device: SimulatedDevice;
  readonly time: VirtualTime;
}

export interface Phone {
  readonly story: Story;
  readonly stack: StackFile;
  readonly serial: string;
  readonly idToken: string;
  readonly signal: AbortSignal;
}

/** The phone asks for an update, downloads it, uploads it to the device and reports it. The radio link drops once. */
export async function updateByPhone(
  { story, stack, serial, idToken, signal }: Phone,
  { device, time }: Garden,
  dropAfter: number,
): Promise<VisitOutcome> {
  const link = new BleLink(device, { mtu: MTU, time });
  link.dropAfter(dropAfter);
  const started = time.now();
  const outcome = await story.display.bar('Updating', 1, (advanceTo) =>
    time.run(() =>
      visitDevice({
        ...{ serial, signal, time, connect: () => link.connect(), runningVersion: device.runningVersion ?? '' },
        backend: backendClient({ apiBaseUrl: stack.apiBaseUrl, idToken, signal }),
        attemptId: `demo-${device.boots}`,
        phone: { model: 'Demo phone' },
        outside: (work) => time.outside(work),
        onOffer: ({ version, sizeBytes, sha256 }) =>
          story.fact(`offered and downloaded: ${version}, ${sizeBytes} bytes, SHA-256 ${sha256.slice(0, 16)}…`),
        onProgress: ({ sentBytes, totalBytes }) => advanceTo(sentBytes / totalBytes),
      }),
    ),
  );
  story.fact(`radio time: ${Math.round((time.now() - started) / 1_000)} s`);
  return outcome;
}

/** Uploads an image to the device over the simulated radio, without a backend. */
export async function carryToDevice(
  { story, signal }: Pick<Phone, 'story' | 'signal'>,
  { device, time }: Garden,
  image: Uint8Array,
  name: string,
  options: { readonly confirm?: boolean } = {},
): Promise<UpdateOutcome> {
  const link = new BleLink(device, { mtu: MTU, time });
  return story.display.bar(`Updating with ${name}`, image.byteLength, (advanceTo) =>
    time.run(() =>
      updateDevice({
        ...{ connect: () => link.connect(), image, time, signal },
        onProgress: ({ sentBytes }) => advanceTo(sentBytes),
        ...(options.confirm === false ? { validate: async () => false } : {}),
      }),
    ),
  );
}

/** Presses the reset button. */
export async function resetDevice({ device, time }: Garden): Promise<void> {
  device.reset();
  await time.advance(RESET_MS);
}
