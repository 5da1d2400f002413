import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { SignedReceipt } from './device-commands.ts';

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

const Json = z.string().transform((text, context): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    context.addIssue('not JSON');
    return z.NEVER;
  }
});

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

const Reported = z.object({ results: z.array(z.object({ outcome: z.string(), verified: z.boolean() })) });

export interface Offer {
  readonly version: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly url: string;
  /** For the device's receipt, if it has a key. */
  readonly nonce: string | undefined;
}

export type OfferAnswer = { readonly offer: Offer } | { readonly offer?: undefined; readonly reason: string };

/** The backend refused or can't be reached. An update may continue without it, but no offer can be had. */
export class BackendError extends Error {
  override readonly name = 'BackendError';
}

/** The download does not match the offer. */
export class DownloadError extends Error {
  override readonly name = 'DownloadError';
}

export interface BackendClientOptions {
  readonly apiBaseUrl: string;
  readonly idToken: string;
  readonly signal?: AbortSignal;
  /** How requests are sent. Default: `fetch`. */
  readonly fetch?: typeof fetch;
}

const CALL_MS = 30_000;

/** The calls of an owner's phone about a device's firmware. */
export function backendClient(options: BackendClientOptions) {
  const send = options.fetch ?? fetch;
  const signal = () => {
    const limit = AbortSignal.timeout(CALL_MS);
    return options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  };
  const call = async <T>(path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> => {
    const name = path.split('?', 1)[0];
    const response = await reached(`${name}`, options.signal, () =>
      send(new URL(path, options.apiBaseUrl), {
        method: body === undefined ? 'GET' : 'POST',
        headers: { Authorization: `Bearer ${options.idToken}`, 'Content-Type': 'application/json' },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: signal(),
      }),
    );
    const text = await response.text();
    if (!response.ok) throw new BackendError(`${name} answered ${response.status}: ${text.slice(0, 200)}`);
    const parsed = Json.pipe(schema).safeParse(text);
    if (!parsed.success) throw new BackendError(`${name} gave an unexpected answer: ${parsed.error.message}`);
    return parsed.data;
  };
  return {
    /** The offer for a device with that version. Without a serial, only what is offered to every device. */
    async latest(serial: string | undefined, currentVersion: string): Promise<OfferAnswer> {
      const device = serial === undefined ? {} : { serial };
      const query = new URLSearchParams({ ...device, current_version: currentVersion });
      const {
        update_available: isOffered,
        reason,
        latest,
        receipt_nonce: nonce,
      } = await call(`/ota/latest?${query}`, Latest);
      if (!isOffered || latest === null) return { reason };
      const { version, artifact, download } = latest;
      const { sha256, size_bytes: sizeBytes } = artifact;
      return { offer: { version, sha256, sizeBytes, url: download.url, nonce } };
    },
    /** @throws DownloadError when it does not match the offer */
    async download(offer: Offer): Promise<Uint8Array> {
      const response = await reached('the download', options.signal, () => send(offer.url, { signal: signal() }));
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

export type BackendClient = ReturnType<typeof backendClient>;

async function reached(
  name: string,
  signal: AbortSignal | undefined,
  send: () => Promise<Response>,
): Promise<Response> {
  try {
    return await send();
  } catch (error) {
    signal?.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new BackendError(`${name} cannot be reached: ${String(cause)}`, { cause: error });
  }
}
