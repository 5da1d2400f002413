import * as z from 'zod';
import { isoDateTime } from '../http/fields.ts';

/** What `GET /health` answers. */
export const ALIVE_RESPONSES = {
  200: z.object({ ok: z.literal(true), status: z.literal('alive'), timestamp: isoDateTime }),
};
