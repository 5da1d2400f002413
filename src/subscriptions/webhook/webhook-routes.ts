import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { isoDateTime, pageCursor, pageLimit } from '../../http/fields.ts';
import { isoTime } from '../../platform/clock.ts';
import { decodeCursor, encodeCursor } from '../../platform/cursor.ts';
import { withTimeLimit } from '../../platform/resilience/time-limit.ts';
import type { Services } from '../../platform/services.ts';
import type { LoadBilling } from '../billing.ts';
import { whileStripeAnswers } from '../billing-errors.ts';
import type { ListedEvent } from './event-admin.ts';
import type { LedgerEntry } from './event-ledger.ts';
import { EventStatus } from './event-status.ts';
import { EVENT_ID, isHandled, parseStripeEvent } from './stripe-event.ts';
import type { Delivery } from './webhook.ts';

/** Stripe waits only some seconds for an answer; after that it counts the delivery as failed and retries. */
const WEBHOOK_MS = 20_000;
const WEBHOOK_BYTES = 1024 * 1024;
const DEFAULT_PAGE = 50;

const EventIdField = z.string().regex(EVENT_ID, 'an event id like evt_1AbC');
const Outcome = z.enum(['applied', 'unchanged', 'account_deleted', 'nobodys', 'kept']);
const EventView = z.object({
  eventId: z.string(),
  type: z.string(),
  created: isoDateTime,
  receivedAt: isoDateTime.nullable(),
  status: z.enum([...EventStatus.options, 'unseen']),
  customerId: z.string().nullable(),
  attempts: z.number(),
  outcome: z.string().nullable(),
  error: z.string().nullable(),
});

/** Routes that receive Stripe's events, and let operators inspect and replay them. */
export function webhookRoutes({ metrics }: Pick<Services, 'metrics'>, billing: LoadBilling): readonly Route[] {
  const webhook = defineRoute({
    method: 'POST',
    path: '/stripeWebhook',
    auth: 'stripe',
    domain: 'subscriptions',
    summary: 'Receives an event from Stripe',
    description:
      'Signed over the raw bytes. 400 only for a bad signature or body; a failure on our side is 5xx, and Stripe ' +
      'sends the event again. An event that is done is acknowledged without work; one in progress gets 503 ' +
      '`event_in_progress`. Create the endpoint with the API version of the SDK in package.json.',
    bodyLimit: WEBHOOK_BYTES,
    responses: { 200: z.object({ received: z.literal(true) }) },
    errors: ['billing_unavailable', 'event_in_progress', 'validation_failed'],
  }).handledBy(async ({ caller }, { log }) => {
    const event = parseStripeEvent(caller.payload);
    if (event === undefined) {
      throw validationFailed(
        [{ in: 'body', field: '', message: 'this is not one of Stripe’s snapshot events' }],
        'machine',
      );
    }
    if (!isHandled(event)) {
      metrics.count('WebhookIgnored');
      log.info('Ignored an event of an unhandled type', { event: event.id, type: event.type });
      return { status: 200, body: { received: true } };
    }
    const delivery = await timed(async () => (await billing()).process(event));
    log.info('Received an event from Stripe', { event: event.id, type: event.type, outcome: describe(delivery) });
    if (!delivery.processed && delivery.reason === 'in_progress') throw inProgress();
    return { status: 200, body: { received: true } };
  });

  const list = defineRoute({
    method: 'GET',
    path: '/stripeEvents',
    auth: 'admin',
    domain: 'subscriptions',
    summary: 'Lists Stripe’s events and their state',
    description:
      'From the ledger: events with one `status` (default `failed`), newest first. With `source=stripe`: events that ' +
      'Stripe lists from `since` on (30 days at most), so that events that never arrived show as `unseen`.',
    query: z.object({
      source: z.enum(['ledger', 'stripe']).default('ledger'),
      status: EventStatus.default('failed'),
      since: z.iso.datetime({ offset: true }).optional(),
      limit: pageLimit,
      cursor: pageCursor,
    }),
    responses: {
      200: z.object({
        ok: z.literal(true),
        count: z.number(),
        events: z.array(EventView),
        nextCursor: z.string().optional(),
      }),
    },
    errors: ['billing_unavailable'],
  }).handledBy(async ({ query }) => {
    const { source, status, limit = DEFAULT_PAGE } = query;
    const since = query.since === undefined ? 0 : Date.parse(query.since);
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor);
    if (query.cursor !== undefined && after === undefined) throw badCursor();
    const page = await whileStripeAnswers(async () =>
      (await billing()).listEvents({ source, status, since, limit, after }),
    );
    if (page === 'no_such_place') throw badCursor();
    return {
      status: 200,
      body: {
        ok: true,
        count: page.events.length,
        events: page.events.map(view),
        ...(page.next === undefined ? {} : { nextCursor: encodeCursor(page.next) }),
      },
    };
  });

  const show = defineRoute({
    method: 'GET',
    path: '/stripeEvents/{eventId}',
    auth: 'admin',
    domain: 'subscriptions',
    summary: 'Shows one event',
    description: 'Its state in the ledger: attempts, outcome, and the error of the last failed attempt.',
    params: z.object({ eventId: EventIdField }),
    responses: { 200: z.object({ ok: z.literal(true), event: EventView }) },
    errors: ['event_not_found'],
  }).handledBy(async ({ params }) => {
    const entry = await (await billing()).readEvent(params.eventId);
    if (entry === undefined) throw eventNotFound();
    return { status: 200, body: { ok: true, event: view(entry) } };
  });

  const replay = defineRoute({
    method: 'POST',
    path: '/stripeEvents/{eventId}/replay',
    auth: 'admin',
    domain: 'subscriptions',
    summary: 'Replays an event',
    description:
      'From Stripe’s copy, or from the ledger when Stripe no longer has one. Safe to repeat: only Stripe’s current ' +
      'state counts, so a second replay changes nothing.',
    params: z.object({ eventId: EventIdField }),
    body: z.strictObject({}),
    responses: { 200: z.object({ ok: z.literal(true), eventId: z.string(), outcome: Outcome }) },
    errors: ['billing_unavailable', 'event_in_progress', 'event_not_found'],
  }).handledBy(async ({ params }) => {
    const delivery = await timed(async () => (await billing()).replay(params.eventId));
    if (delivery === undefined) throw eventNotFound();
    if (!delivery.processed) throw inProgress();
    metrics.count('WebhookReplayed');
    return { status: 200, body: { ok: true, eventId: params.eventId, outcome: delivery.outcome } };
  });

  return [webhook, list, show, replay];
}

function timed<T>(work: () => Promise<T>): Promise<T> {
  return whileStripeAnswers(() => withTimeLimit(WEBHOOK_MS, work));
}

function badCursor(): ApiError {
  return validationFailed([{ in: 'query', field: 'cursor', message: 'a cursor from an earlier answer' }], 'machine');
}

function view(event: LedgerEntry | ListedEvent): z.input<typeof EventView> {
  const { created, receivedAt, ...rest } = event;
  return { ...rest, created: isoTime(created * 1000), receivedAt: receivedAt === null ? null : isoTime(receivedAt) };
}

function describe(delivery: Delivery): string {
  return delivery.processed ? delivery.outcome : delivery.reason;
}

function inProgress(): ApiError {
  return new ApiError('event_in_progress', 'This event is being processed right now. Please try again in a minute.', {
    headers: { 'Retry-After': '60' },
  });
}

function eventNotFound(): ApiError {
  return new ApiError(
    'event_not_found',
    'This event is known neither to Stripe nor to our ledger. Please check its id.',
  );
}
