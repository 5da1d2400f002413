import * as z from 'zod';
import type { CallApi } from '../../cli/target/api-client.ts';

export const STATUSES = ['failed', 'kept', 'processing', 'done'] as const;
export type Status = (typeof STATUSES)[number];

const StripeEvent = z.looseObject({
  eventId: z.string(),
  type: z.string(),
  created: z.string(),
  receivedAt: z.string().nullable(),
  status: z.enum([...STATUSES, 'unseen']),
  customerId: z.string().nullable(),
  attempts: z.number(),
  outcome: z.string().nullable(),
  error: z.string().nullable(),
});
export type StripeEvent = z.output<typeof StripeEvent>;

const Page = z.looseObject({ events: z.array(StripeEvent), nextCursor: z.string().optional() });
const Shown = z.looseObject({ event: StripeEvent });
const Replayed = z.looseObject({ eventId: z.string(), outcome: z.string() });

/** The most events that one command fetches. */
const MOST_EVENTS = 5_000;
const PAGE = 100;

/** A client for the API's routes for Stripe events. */
export function stripeEvents(call: CallApi, token: string) {
  const headers = { 'x-admin-token': token };

  const all = async (query: Readonly<Record<string, string>>): Promise<readonly StripeEvent[]> => {
    const found: StripeEvent[] = [];
    let cursor: string | undefined;
    do {
      const fields = { ...query, limit: String(PAGE), ...(cursor === undefined ? {} : { cursor }) };
      const page = await call(`/stripeEvents?${new URLSearchParams(fields)}`, Page, { headers });
      found.push(...page.events);
      cursor = page.nextCursor;
    } while (cursor !== undefined && found.length < MOST_EVENTS);
    return found;
  };

  return {
    /** Lists the events in the ledger with any of these statuses, newest first. */
    async inLedger(statuses: readonly Status[], since: string | undefined): Promise<readonly StripeEvent[]> {
      const pages = await Promise.all(
        statuses.map((status) => all({ status, ...(since === undefined ? {} : { since }) })),
      );
      return pages.flat().sort((a, b) => (b.receivedAt ?? '').localeCompare(a.receivedAt ?? ''));
    },
    /** Lists the events at Stripe itself, including those that never arrived. */
    atStripe: (since: string) => all({ source: 'stripe', since }),
    show: async (eventId: string) => (await call(`/stripeEvents/${eventId}`, Shown, { headers })).event,
    replay: async (eventId: string) =>
      (await call(`/stripeEvents/${eventId}/replay`, Replayed, { method: 'POST', headers, body: {} })).outcome,
  };
}
