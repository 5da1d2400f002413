import { createHash } from 'node:crypto';
import * as z from 'zod';
import { BackendError, type CallOptions, createCalls } from './api-calls.ts';
import type { SignedReceipt } from './device-commands.ts';
import { readDecision, Signed, type SigningKeys } from './signed-answer.ts';

export { BackendError } from './api-calls.ts';

/** Progress of an update, in the values of `POST /ota/reports`. */
export type ReportStatus = 'offered' | 'on_phone' | 'uploading' | 'testing' | 'confirmed' | 'reverted' | 'failed';

/** A phone's report on one update, in the API's field names. */
export interface Report {
  readonly serial: string;
  readonly version: string;
  readonly from_version: string;
  readonly attempt_id: string;
  readonly status: ReportStatus;
  readonly error_code?: string;
  readonly phone?: { readonly model?: string; readonly os?: string; readonly app_version?: string };
  readonly receipt?: SignedReceipt;
}

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
  signed: Signed.optional(),
});

const Lease = z.object({ expires_at: z.iso.datetime().transform((text) => Date.parse(text)) });
const Owned = z.object({
  devices: z.array(z.object({ serial: z.string(), hw_id: z.string() })),
  next_cursor: z.string().optional(),
});

const Reported = z.object({ results: z.array(z.object({ outcome: z.string(), verified: z.boolean() })) });

export interface Offer {
  readonly version: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly url: string;
  /** For the device's receipt, if it has a key. */
  readonly nonce: string | undefined;
}

/** Until when the lease is ours, or another phone's. */
export interface LeaseAnswer {
  readonly isHeld: boolean;
  /** Milliseconds since 1970. */
  readonly until: number;
}

export type OfferAnswer = { readonly offer: Offer } | { readonly offer?: undefined; readonly reason: string };

/** The download does not match the offer. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
}

export interface BackendClientOptions extends CallOptions {
  /** If given, only answers signed by one of these keys are believed, and only what is signed. */
  readonly signingKeys?: SigningKeys;
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly now?: () => number;
}

/** The calls of an owner's phone about a device's firmware. */
export function backendClient(options: BackendClientOptions) {
  const { now = Date.now } = options;
  const { call, send } = createCalls(options);
  return {
    /**
     * The offer for a device with that version. Without a serial, only what is offered to every device.
     *
     * @throws UnsignedAnswerError when there are keys and none has signed the answer
     */
    async latest(serial: string | undefined, currentVersion: string): Promise<OfferAnswer> {
      const device = serial === undefined ? {} : { serial };
      const query = new URLSearchParams({ ...device, current_version: currentVersion });
      const {
        update_available: isOffered,
        reason,
        latest,
        receipt_nonce: nonce,
        signed,
      } = await call(`/ota/latest?${query}`, Latest);
      const { signingKeys } = options;
      if (signingKeys !== undefined) {
        const decision = readDecision(signed, signingKeys, { serial, currentVersion, now: now() });
        const { release } = decision;
        if (!decision.update_available || release === null || latest === null) return { reason: decision.reason };
        const { version, sha256, size_bytes: sizeBytes } = release;
        return { offer: { version, sha256, sizeBytes, url: latest.download.url, nonce } };
      }
      if (!isOffered || latest === null) return { reason };
      const { version, artifact, download } = latest;
      const { sha256, size_bytes: sizeBytes } = artifact;
      return { offer: { version, sha256, sizeBytes, url: download.url, nonce } };
    },
    /** The user's devices: serials by hardware id. */
    async devices(): Promise<ReadonlyMap<string, string>> {
      const found = new Map<string, string>();
      let cursor: string | undefined;
      do {
        const query: URLSearchParams = new URLSearchParams({ limit: '100', ...(cursor !== undefined && { cursor }) });
        const page = await call(`/myDevices?${query}`, Owned);
        for (const { serial, hw_id: hwId } of page.devices) found.set(hwId, serial);
        cursor = page.next_cursor;
      } while (cursor !== undefined);
      return found;
    },
    /** Takes or renews the lease on a device, so that nobody else flashes it meanwhile. */
    async lease(serial: string, phoneId: string): Promise<LeaseAnswer> {
      try {
        const { expires_at: until } = await call('/ota/lease', Lease, { serial, phone_id: phoneId });
        return { isHeld: true, until };
      } catch (error) {
        const refusal = error instanceof BackendError ? error.refusal : undefined;
        if (refusal?.code !== 'lease_held') throw error;
        return { isHeld: false, until: Lease.parse(refusal.details).expires_at };
      }
    },
    async giveBack(serial: string, phoneId: string): Promise<void> {
      await call('/ota/lease', z.unknown(), { serial, phone_id: phoneId, release: true });
    },
    /** @throws DownloadError when it does not match the offer */
    async download(offer: Offer): Promise<Uint8Array> {
      const response = await send('the download', offer.url);
      if (!response.ok) throw new BackendError(`the download answered ${response.status}`);
      const image = new Uint8Array(await response.arrayBuffer());
      if (image.byteLength !== offer.sizeBytes) {
        throw new DownloadError(`received ${image.byteLength} of ${offer.sizeBytes} bytes`);
      }
      const sha256 = createHash('sha256').update(image).digest('hex');
      if (sha256 !== offer.sha256) throw new DownloadError(`its SHA-256 is ${sha256}, expected ${offer.sha256}`);
      return image;
    },
    /** @returns for each report, whether the device's receipt was valid */
    async report(reports: readonly Report[]): Promise<readonly boolean[]> {
      const { results } = await call('/ota/reports', Reported, { reports });
      return results.map(({ verified }) => verified);
    },
  };
}

/** What an update needs. */
export type BackendClient = Pick<ReturnType<typeof backendClient>, 'latest' | 'download' | 'report'>;
export type WholeBackendClient = ReturnType<typeof backendClient>;
