import * as z from 'zod';

/** What has become of an event. `kept`: it waits for somebody whose customer it is about. */
export const EventStatus = z.enum(['processing', 'done', 'failed', 'kept']);
export type EventStatus = z.output<typeof EventStatus>;
