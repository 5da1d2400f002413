import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { type StandIn, startStandIn } from '../stand-in-server.ts';
import { stripeApi } from './api.ts';
import { StripeLifecycle } from './lifecycle.ts';
import { stripePages } from './pages.ts';
import { keepInFile, newId, StripeState } from './state.ts';
import { WebhookSender } from './webhook-sender.ts';

export interface StripeStandIn extends StandIn {
  readonly state: StripeState;
  readonly lifecycle: StripeLifecycle;
  readonly webhooks: WebhookSender;
  /** Makes the next writes fail while being processed. Unlike faults, their idempotency keys record this. */
  failInside(times: number): void;
}

export interface StripeOptions {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** Where the state is stored; in memory if absent. */
  readonly file?: string;
  readonly preferredPort?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Starts a local Stripe: customers, checkouts, subscriptions, the portal and events, with the customer's pages. It
 * refuses what Stripe would refuse, sends signed webhooks, and its clock can be moved.
 */
export async function startStripe(options: StripeOptions): Promise<StripeStandIn> {
  const file = options.file === undefined ? undefined : keepInFile(options.file, () => state);
  const state: StripeState = new StripeState(options.now ?? Date.now, () => file?.changed());
  await file?.load();
  const webhooks = new WebhookSender(() => options.webhookSecret);
  const base = () => standIn.url;
  const lifecycle = new StripeLifecycle(
    state,
    (type, object, created) => {
      const event = { id: newId('evt'), type, created, object };
      state.save('events', event);
      webhooks.send(event);
    },
    base,
  );
  let failures = 0;
  const failsInside = () => {
    if (failures === 0) return false;
    failures -= 1;
    return true;
  };
  const app = new Hono()
    .route('/v1', stripeApi({ state, lifecycle, secretKey: () => options.secretKey, base, failsInside }))
    .route('/', stripePages({ state, lifecycle, webhooks }));
  const listen = getRequestListener(app.fetch);
  const standIn = await startStandIn(async (request, response) => listen(request, response), options.preferredPort);
  return {
    ...standIn,
    state,
    lifecycle,
    webhooks,
    failInside(times) {
      failures = times;
    },
    async stop() {
      await webhooks.stop();
      await standIn.stop();
      await file?.flush();
    },
  };
}
