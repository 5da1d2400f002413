import * as z from 'zod';

/** Events that may change a user's subscription. All other types are only counted. */
export const HANDLED_TYPES = [
  'checkout.session.completed',
  'checkout.session.async_payment_succeeded',
  'checkout.session.async_payment_failed',
  'customer.subscription.created',
  'customer.subscription.updated',
  'customer.subscription.deleted',
  'customer.subscription.paused',
  'customer.subscription.resumed',
  'customer.subscription.trial_will_end',
  'invoice.paid',
  'invoice.payment_failed',
  'customer.deleted',
] as const;
const handled: ReadonlySet<string> = new Set(HANDLED_TYPES);

/** The end of 9999, the last year with four digits. */
const LATEST_SECONDS = 253_402_300_799;

export const EVENT_ID = /^evt_\w{1,100}$/;

/** Stripe's ids have at most 255 characters; as table keys they must not be empty or longer than 2 KB. */
const StripeId = z.string().min(1).max(255);
const Reference = z
  .union([StripeId, z.object({ id: StripeId })])
  .transform((it) => (typeof it === 'string' ? it : it.id));
const Metadata = z.record(z.string(), z.string()).nullish();

/** The envelope of a snapshot event and the few fields of its object that identify customer and user. */
const Envelope = z.object({
  id: z.string().regex(EVENT_ID),
  object: z.literal('event'),
  type: z.string().max(100),
  /** Seconds since 1970. */
  created: z.number().int().min(0).max(LATEST_SECONDS),
  data: z.object({
    object: z.looseObject({
      id: StripeId.optional(),
      object: z.string().optional(),
      customer: Reference.nullish(),
      client_reference_id: z.string().nullish(),
      metadata: Metadata,
      parent: z
        .object({ subscription_details: z.object({ metadata: Metadata }).nullish() })
        .nullish()
        .catch(undefined),
    }),
  }),
});

/** The part of an event that we use. The rest is read from Stripe, because events may arrive out of date. */
export interface StripeEvent {
  readonly id: string;
  readonly type: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** Undefined for an event without a customer. */
  readonly customerId: string | undefined;
  /** The owner named in the event. Only a hint: the stored mapping decides. */
  readonly uid: string | undefined;
}

export function parseStripeEvent(payload: unknown): StripeEvent | undefined {
  const parsed = Envelope.safeParse(payload);
  if (!parsed.success) return undefined;
  const { id, type, created, data } = parsed.data;
  const { object } = data;
  const customerId = object.object === 'customer' ? object.id : object.customer;
  const uid =
    object.client_reference_id ?? object.parent?.subscription_details?.metadata?.['uid'] ?? object.metadata?.['uid'];
  return { id, type, created, customerId: customerId ?? undefined, uid: uid === '' ? undefined : uid };
}

/** Checks whether the event can change a user's subscription. */
export function isHandled({ type }: StripeEvent): boolean {
  return handled.has(type);
}
