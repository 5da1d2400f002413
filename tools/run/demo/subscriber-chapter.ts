import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';
import { apiClient } from '../../cli/target/api-client.ts';
import type { StackFile } from '../local-stack/stack-file.ts';
import { smallPng } from './small-png.ts';
import { type Story, StoryError } from './story.ts';

const DAY_SECONDS = 24 * 60 * 60;
/** Generous: a webhook over loopback takes milliseconds. */
const WEBHOOK_MS = 10_000;

const Checkout = z.object({ url: z.string() });
const Status = z.looseObject({ isPremium: z.boolean(), status: z.string() });
const Export = z.looseObject({ billing: z.looseObject({ subscription: z.object({ status: z.string() }).nullable() }) });

/** The owner subscribes on the local Stripe's page, gets a trial, and is charged when it ends. */
export async function subscriberChapter(story: Story, stack: StackFile, idToken: string, signal: AbortSignal) {
  const call = apiClient(stack.apiBaseUrl, signal);
  const headers = { Authorization: `Bearer ${idToken}` };
  /** Waits for a webhook to update the stored state, which is read without asking Stripe. */
  const untilStored = async (status: string) => {
    const deadline = Date.now() + WEBHOOK_MS;
    for (;;) {
      const { billing } = await call('/exportMyData', Export, { headers });
      if (billing.subscription?.status === status) return;
      if (Date.now() > deadline) throw new StoryError(`no webhook delivered “${status}”`);
      await delay(50, undefined, { signal });
    }
  };

  const { url } = await call('/createSubscriptionCheckout', Checkout, { method: 'POST', headers, body: {} });
  await fetch(`${url}/pay`, { method: 'POST', redirect: 'manual', signal });
  await untilStored('trialing');
  const trial = await call('/subscriptionStatus', Status, { headers });
  story.promise(
    trial.isPremium && trial.status === 'trialing',
    'subscribed on the checkout page: premium, in the trial',
  );
  await fetch(new URL('/_clock', stack.stripe.endpoint), {
    method: 'PUT',
    body: JSON.stringify({ forwardSeconds: 8 * DAY_SECONDS }),
    signal,
  });
  await untilStored('active');
  const active = await call('/subscriptionStatus', Status, { headers });
  story.promise(
    active.isPremium && active.status === 'active',
    'eight days later, the trial is over and the first month is paid',
  );
  await photographPlant(story, stack, headers, signal);
}

const Named = z.looseObject({ provider: z.string(), best_match: z.looseObject({ scientific_name: z.string() }) });

/** Identifies a plant by photo, also when the first provider is down. */
async function photographPlant(
  story: Story,
  stack: StackFile,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  const send = async (fill: number) => {
    const body = new FormData();
    body.set('image', new Blob([smallPng(fill)], { type: 'image/png' }), 'plant.png');
    const answer = await fetch(new URL('/plantId', stack.apiBaseUrl), { method: 'POST', headers, body, signal });
    return Named.parse(await answer.json());
  };
  const first = await send(1);
  story.promise(first.provider === 'kindwise', `a plant is identified by photo: ${first.best_match.scientific_name}`);
  const tell = (faults: object) =>
    fetch(new URL('/_faults', stack.plants.kindwise), { method: 'PUT', body: JSON.stringify(faults), signal });
  await tell([{ status: 500 }]);
  const second = await send(2);
  await tell([]);
  story.promise(
    second.provider === 'plantnet',
    `Kindwise is down, so Pl@ntNet identifies the next one: ${second.best_match.scientific_name}`,
  );
}
