import * as z from 'zod';
import { type BackendError, type CallOptions, createCalls } from '../phone/api-calls.ts';
import { FROM_THE_BEGINNING, type SyncCursor } from './sync-cursor.ts';
import type { UploadBody } from './upload-bodies.ts';

const From = z.object({ from_at: z.number().nullable() });

const Answer = z.object({
  ...{ stored: z.number(), known: z.number(), refused_count: z.number() },
  refused: z.array(z.object({ list: z.string(), code: z.string(), count: z.number() })),
  next: z.object({
    watering: z.array(z.object({ channel: z.number(), newest_at: z.number().nullable() })),
    ...{ rain_hourly: From, rain_daily: From, environment_hourly: From, environment_daily: From },
  }),
});

export interface Uploaded {
  readonly stored: number;
  readonly known: number;
  readonly refused: number;
  /** What to read at the next visit. */
  readonly cursor: SyncCursor;
}

export interface TelemetryClient {
  /** @param sentAt by the clock of whoever read it, in milliseconds since 1970. @throws BackendError */
  upload(body: UploadBody, sentAt: number): Promise<Uploaded>;
}

/** Brings what was read from devices to the account. */
export function telemetryClient(options: CallOptions): TelemetryClient {
  const { post } = createCalls(options);
  return {
    async upload(body, sentAt) {
      const {
        stored,
        known,
        refused_count: refused,
        next,
      } = await post('/telemetry', Answer, { ...body, sent_at: sentAt });
      const watering = [...FROM_THE_BEGINNING.watering];
      for (const { channel, newest_at: newestAt } of next.watering) watering[channel] = newestAt;
      return {
        ...{ stored, known, refused },
        cursor: {
          watering,
          rain_hourly: next.rain_hourly.from_at,
          rain_daily: next.rain_daily.from_at,
          environment_hourly: next.environment_hourly.from_at,
          environment_daily: next.environment_daily.from_at,
        },
      };
    },
  };
}

/** Whether the backend will never take this, however often it is sent: then it is in the way of what follows. */
export function isRefusedForGood(error: BackendError): boolean {
  const { status } = error;
  return status !== undefined && status >= 400 && status < 500 && ![401, 408, 425, 429].includes(status);
}
