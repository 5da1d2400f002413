import type { BillingNeeds } from '../billing-needs.ts';
import { isPlace, type LedgerEntry } from './event-ledger.ts';
import type { EventStatus } from './event-status.ts';
import { EVENT_ID, HANDLED_TYPES, parseStripeEvent, type StripeEvent } from './stripe-event.ts';
import { type Delivery, processEvent } from './webhook.ts';

/** An event as Stripe lists it, with our ledger's data. */
export interface ListedEvent extends Omit<LedgerEntry, 'receivedAt' | 'status'> {
  /** Milliseconds since 1970; null for one that never reached us. */
  readonly receivedAt: number | null;
  /** `unseen`: Stripe has it, but we never received it. */
  readonly status: EventStatus | 'unseen';
}

export interface EventQuery {
  readonly source: 'ledger' | 'stripe';
  /** For the ledger: the status to list. */
  readonly status: EventStatus;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly limit: number;
  /** Where the previous page ended. */
  readonly after: string | undefined;
}

export type EventList =
  | { readonly events: readonly (LedgerEntry | ListedEvent)[]; readonly next: string | undefined }
  | 'no_such_place';

/** Lists the ledger's events, newest first. */
export async function listInLedger({ ledger }: BillingNeeds, query: EventQuery): Promise<EventList> {
  const { status, since, limit, after } = query;
  if (after !== undefined && !isPlace(after)) return 'no_such_place';
  const { entries, next } = await ledger.list(status, since, limit, after);
  return { events: entries, next };
}

/** Lists Stripe's own events of the handled types, with their state in the ledger; the last 30 days at most. */
export async function listAtStripe(needs: BillingNeeds, { since, limit, after }: EventQuery): Promise<EventList> {
  if (after !== undefined && !EVENT_ID.test(after)) return 'no_such_place';
  const page = await needs.stripe.events(since, HANDLED_TYPES, limit, after);
  const events = page.events.flatMap((payload) => parseStripeEvent(payload) ?? []);
  const known = new Map(
    (await needs.ledger.readMany(events.map(({ id }) => id))).map((entry) => [entry.eventId, entry]),
  );
  return { events: events.map((event) => known.get(event.id) ?? unseen(event)), next: page.next };
}

/**
 * Processes an event again, from Stripe's copy or, when Stripe no longer has it, from the ledger.
 *
 * @returns undefined for an event known to neither
 */
export async function replayEvent(needs: BillingNeeds, eventId: string): Promise<Delivery | undefined> {
  const event = parseStripeEvent(await needs.stripe.event(eventId)) ?? fromLedger(await needs.ledger.read(eventId));
  return event === undefined ? undefined : processEvent(needs, event, { again: true });
}

function fromLedger(entry: LedgerEntry | undefined): StripeEvent | undefined {
  if (entry === undefined) return undefined;
  const { eventId: id, type, created, customerId } = entry;
  return { id, type, created, customerId: customerId ?? undefined, uid: undefined };
}

function unseen({ id: eventId, type, created, customerId }: StripeEvent): ListedEvent {
  return {
    ...{ eventId, type, created, customerId: customerId ?? null },
    ...{ receivedAt: null, status: 'unseen', attempts: 0, outcome: null, error: null },
  };
}

/** State of the webhook, for the health page. */
export interface WebhookHealth {
  /** When the newest event arrived, in ms; null if none ever did. */
  readonly lastEventAt: number | null;
  readonly failedEvents: number;
  /** Events that wait until their customer has an owner. */
  readonly keptEvents: number;
}

export async function webhookHealth({ ledger }: Pick<BillingNeeds, 'ledger'>): Promise<WebhookHealth> {
  const statuses = ['processing', 'done', 'failed', 'kept'] as const;
  const [failedEvents, keptEvents, ...newest] = await Promise.all([
    ledger.count('failed'),
    ledger.count('kept'),
    ...statuses.map((status) => ledger.list(status, 0, 1, undefined)),
  ]);
  const times = newest.flatMap(({ entries }) => entries.map(({ receivedAt }) => receivedAt));
  return { lastEventAt: times.length === 0 ? null : Math.max(...times), failedEvents, keptEvents };
}
