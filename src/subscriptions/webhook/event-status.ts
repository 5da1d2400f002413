import * as z from 'zod';

/** Processing state of an event. `kept`: it waits until its customer has an owner. */
export const EventStatus = z.enum(['processing', 'done', 'failed', 'kept']);
export type EventStatus = z.output<typeof EventStatus>;
