import * as z from 'zod';
import { DeviceVersionField } from '../../fleet/fields.ts';
import { isoDateTime } from '../../http/fields.ts';
import { trackFields, VersionField } from '../registry/track-fields.ts';
import { deviceFields } from './device-fields.ts';
import { REASONS } from './reason.ts';

// Loaded for the docs, and for requests that `accept-input.ts` does not accept at once.

export const LatestQuery = z.object({
  ...trackFields,
  ...deviceFields,
  current_version: DeviceVersionField.optional(),
  bootloader_version: DeviceVersionField.optional(),
});
export type LatestQuery = z.output<typeof LatestQuery>;

const Reason = z.enum(REASONS);

const Latest = z.object({
  version: z.string(),
  channel: z.string(),
  mandatory: z.boolean(),
  artifact: z.object({
    name: z.string(),
    size_bytes: z.number(),
    sha256: z.string(),
    image_hash: z.string().nullable(),
  }),
  download: z.object({ url: z.string(), expires_at: isoDateTime }),
  notes: z.string(),
});
export type LatestBody = z.input<typeof Latest>;

export const LATEST_RESPONSES = {
  200: z.object({
    ok: z.literal(true),
    update_available: z.boolean(),
    latest: Latest.nullable(),
    reason: Reason,
    not_understood: z.array(z.enum(['current_version', 'bootloader_version'])).optional(),
    withheld: z.object({ version: z.string(), reason: Reason }).optional(),
    blocked_until: isoDateTime.optional(),
    offer_expires_at: isoDateTime.optional(),
    receipt_nonce: z.string().optional(),
    signed: z
      .object({ payload: z.string(), signatures: z.array(z.object({ key_id: z.string(), value: z.string() })) })
      .optional(),
  }),
};

export const DownloadParams = z.object({ version: VersionField });
export const DownloadQuery = z.object({ ...trackFields, ...deviceFields });
export type DownloadParams = z.output<typeof DownloadParams>;
export type DownloadQuery = z.output<typeof DownloadQuery>;

export const DOWNLOAD_RESPONSES = {
  200: z.object({
    ok: z.literal(true),
    version: z.string(),
    url: z.string(),
    download: z.object({ url: z.string(), expires_at: isoDateTime }),
  }),
};
