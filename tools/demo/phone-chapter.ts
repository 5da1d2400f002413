import { createHash } from 'node:crypto';
import * as z from 'zod';
import { BleLink, type SimulatedDevice, type UpdateOutcome, updateDevice } from '../../firmware-sim/index.ts';
import { releaseVersionOfReport } from '../../release-format/mcuboot-header.ts';
import { apiClient } from '../cli/api-client.ts';
import type { StackFile } from '../local-stack/stack-file.ts';
import { type Story, StoryError } from './story.ts';

const Latest = z.object({
  update_available: z.boolean(),
  reason: z.string(),
  receipt_nonce: z.string().optional(),
  latest: z
    .object({
      version: z.string(),
      artifact: z.object({ sha256: z.string(), size_bytes: z.number() }),
      download: z.object({ url: z.string() }),
    })
    .nullable(),
});

const Reported = z.object({ results: z.array(z.object({ verified: z.boolean() })) });

/** An offer and its bytes, as the phone holds them. */
export interface Download {
  readonly version: string;
  readonly fromVersion: string;
  readonly image: Uint8Array;
  /** For the device's receipt, if it has a key. */
  readonly nonce: string | undefined;
}

const MTU = 247;
const DOWNLOAD_MS = 30_000;

export interface Phone {
  readonly story: Story;
  readonly stack: StackFile;
  readonly serial: string;
  readonly idToken: string;
  readonly signal: AbortSignal;
}

/** Asks what is offered for the device, downloads it, and makes sure that it is what was promised. */
export async function downloadOffer(phone: Phone, device: SimulatedDevice): Promise<Download> {
  const { story, stack, serial, idToken, signal } = phone;
  const current = releaseVersionOfReport(device.runningVersion ?? '');
  const query = new URLSearchParams({ current_version: current, serial });
  const answer = await apiClient(stack.apiBaseUrl, signal)(`/ota/latest?${query}`, Latest, {
    headers: { Authorization: `Bearer ${idToken}` },
  });
  const { latest } = answer;
  if (latest === null || !answer.update_available) throw new StoryError(`nothing is offered to ${current}`);
  story.fact(`the device runs ${current}, offered is ${latest.version}`);
  const response = await fetch(latest.download.url, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_MS)]),
  });
  const image = new Uint8Array(await response.arrayBuffer());
  const sha256 = createHash('sha256').update(image).digest('hex');
  story.promise(
    sha256 === latest.artifact.sha256,
    `downloaded ${image.byteLength} bytes, SHA-256 ${sha256.slice(0, 16)}…`,
  );
  return { version: latest.version, fromVersion: current, image, nonce: answer.receipt_nonce };
}

/** Tells the backend that the device runs it, with what the device has signed. */
export async function reportConfirmed(
  { stack, serial, idToken, signal }: Phone,
  { version, fromVersion }: Download,
  outcome: UpdateOutcome,
): Promise<boolean> {
  const receipt = outcome.outcome === 'confirmed' ? outcome.receipt : undefined;
  const { results } = await apiClient(stack.apiBaseUrl, signal)('/ota/reports', Reported, {
    method: 'POST',
    headers: { Authorization: `Bearer ${idToken}` },
    body: {
      ...{ serial, version, from_version: fromVersion, attempt_id: `demo-${version}`, status: 'confirmed' },
      phone: { model: 'Demo phone' },
      ...(receipt === undefined ? {} : { receipt }),
    },
  });
  return results.every(({ verified }) => verified);
}

export interface CarryOptions {
  /** Bytes after which the radio link drops once. */
  readonly dropAfter?: number;
  readonly confirm?: boolean;
  readonly receiptNonce?: string | undefined;
}

/** Carries an image to the device over the simulated radio. */
export async function carryToDevice(
  { story, signal }: Pick<Phone, 'story' | 'signal'>,
  device: SimulatedDevice,
  image: Uint8Array,
  name: string,
  options: CarryOptions = {},
): Promise<UpdateOutcome> {
  const link = new BleLink(device, { mtu: MTU });
  if (options.dropAfter !== undefined) link.dropAfter(options.dropAfter);
  return story.display.bar(`Updating with ${name}`, image.byteLength, (advanceTo) =>
    updateDevice({
      connect: () => link.connect(),
      image,
      onProgress: ({ sentBytes }) => advanceTo(sentBytes),
      signal,
      ...(options.receiptNonce === undefined ? {} : { receiptNonce: options.receiptNonce }),
      ...(options.confirm === false ? { validate: async () => false } : {}),
    }),
  );
}
