import { Hono } from 'hono';
import { html, raw } from 'hono/html';
import { STYLE } from '../page-style.ts';
import type { StripeLifecycle } from './lifecycle.ts';
import { days, LOCAL_PRICE } from './objects.ts';
import type { CheckoutSession, Customer, StripeState, Subscription } from './state.ts';
import { DeliveryFaults, type WebhookSender } from './webhook-sender.ts';

const PRICE = `${(LOCAL_PRICE.cents / 100).toFixed(2)} ${LOCAL_PRICE.currency.toUpperCase()} a month`;

interface PageNeeds {
  readonly state: StripeState;
  readonly lifecycle: StripeLifecycle;
  readonly webhooks: WebhookSender;
}

/** The customer's pages (checkout, billing portal), and the developer's dashboard with the clock. */
export function stripePages({ state, lifecycle, webhooks }: PageNeeds): Hono {
  const pages = new Hono();
  const sessionOf = (id: string) => state.find('sessions', id);
  const portalOf = (id: string) => {
    const portal = state.find('portals', id);
    const customer = portal && state.find('customers', portal.customer);
    return portal === undefined || customer === undefined || customer.deleted
      ? undefined
      : { ...portal, owner: customer };
  };

  pages.get('/c/pay/:id', (c) => {
    const session = sessionOf(c.req.param('id'));
    return session === undefined ? c.html(nothingHere('checkout'), 404) : c.html(checkoutPage(session));
  });
  pages.post('/c/pay/:id/:choice', (c) => {
    const session = sessionOf(c.req.param('id'));
    if (session === undefined) return c.html(nothingHere('checkout'), 404);
    const choice = c.req.param('choice');
    if (choice === 'cancel') return c.redirect(session.cancelUrl ?? `/c/pay/${session.id}`, 303);
    if (session.status !== 'open') return c.redirect(`/c/pay/${session.id}`, 303);
    if (choice === 'decline') {
      lifecycle.decline(session);
      return c.redirect(`/c/pay/${session.id}`, 303);
    }
    if (choice !== 'pay') return c.html(nothingHere('button'), 404);
    lifecycle.pay(session);
    return c.redirect(session.successUrl.replace('{CHECKOUT_SESSION_ID}', session.id), 303);
  });

  pages.get('/p/session/:id', (c) => {
    const portal = portalOf(c.req.param('id'));
    if (portal === undefined) return c.html(nothingHere('billing portal'), 404);
    const subscriptions = state.all('subscriptions').filter((one) => one.customer === portal.customer);
    return c.html(portalPage(portal.id, portal.returnUrl, portal.owner, subscriptions));
  });
  pages.post('/p/session/:id/card/:card', (c) => {
    const portal = portalOf(c.req.param('id'));
    if (portal === undefined) return c.html(nothingHere('billing portal'), 404);
    lifecycle.replaceCard(portal.owner, c.req.param('card') === 'declines' ? 'declines' : 'pays');
    return c.redirect(`/p/session/${portal.id}`, 303);
  });
  pages.post('/p/session/:id/:subscription/:choice', (c) => {
    const portal = portalOf(c.req.param('id'));
    const subscription = state.find('subscriptions', c.req.param('subscription'));
    if (portal === undefined || subscription?.customer !== portal.customer)
      return c.html(nothingHere('billing portal'), 404);
    if (isLive(subscription)) lifecycle.scheduleEnd(subscription, c.req.param('choice') === 'end');
    return c.redirect(`/p/session/${portal.id}`, 303);
  });

  pages.get('/', (c) => c.html(dashboard(state, webhooks)));
  pages.post('/forward/:days', (c) => {
    lifecycle.forward(days(Math.max(0, Number(c.req.param('days')) || 0)));
    return c.redirect('/', 303);
  });
  pages.put('/_clock', async (c) => {
    const { forwardSeconds } = await c.req.json<{ forwardSeconds: number }>();
    lifecycle.forward(Math.max(0, Number(forwardSeconds) || 0));
    return c.json({ now: state.now() });
  });
  pages.put('/_webhooks', async (c) => {
    const faults = DeliveryFaults.safeParse(await c.req.json());
    if (!faults.success) return c.json({ error: faults.error.message }, 400);
    webhooks.setFaults(faults.data);
    return c.json(faults.data);
  });
  return pages;
}

type Html = ReturnType<typeof html>;

function page(title: string, content: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · local Stripe</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}</style>
</head>
<body>
<header>Local Stripe <span>no money moves here</span></header>
<main>${content}</main>
</body>
</html>`;
}

function nothingHere(what: string): Html {
  return page(
    'Nothing here',
    html`<h1>There is no such ${what}</h1><p>The link may be old. Open a new one from the app.</p>`,
  );
}

function button(action: string, text: string, kind = ''): Html {
  return html`<form method="post" action="${action}"><button class="${kind}">${text}</button></form>`;
}

function checkoutPage(session: CheckoutSession): Html {
  if (session.status !== 'open') {
    const done = session.status === 'complete';
    return page(
      done ? 'Paid' : 'Expired',
      html`<h1>${done ? 'You have subscribed' : 'This page has expired'}</h1>
<p>${done ? 'You can go back to the app.' : 'Open a new one from the app.'}</p>`,
    );
  }
  const trial = session.trialDays;
  const path = `/c/pay/${session.id}`;
  return page(
    'Checkout',
    html`<h1>AutoWatering Premium</h1>
<p class="price">${trial === null ? PRICE : html`${trial} days free <small>then ${PRICE}</small>`}</p>
${session.lastError === null ? '' : html`<p class="error" role="alert">${session.lastError}</p>`}
<div class="choices">
${button(`${path}/pay`, trial === null ? 'Pay' : 'Pay (start the trial)', 'primary')}
${button(`${path}/decline`, 'Decline')}
${button(`${path}/cancel`, 'Cancel', 'quiet')}
</div>
<p class="hint">“Pay” uses a card that works, “Decline” one that the bank refuses. “Cancel” leads back and changes nothing.</p>`,
  );
}

function portalPage(id: string, returnUrl: string, customer: Customer, subscriptions: readonly Subscription[]): Html {
  const path = `/p/session/${id}`;
  const card = { none: 'no card on file', pays: 'a card that works', declines: 'a card that is declined' }[
    customer.card
  ];
  return page(
    'Billing portal',
    html`<h1>Your subscription</h1>
${subscriptions.length === 0 ? html`<p>There is none.</p>` : ''}
${subscriptions.map((one) => subscriptionCard(one, path))}
<h2>Payment method</h2>
<p>Now: <strong>${card}</strong></p>
<div class="choices">
${button(`${path}/card/pays`, 'Use a card that works')}
${button(`${path}/card/declines`, 'Use a card that is declined')}
</div>
<p><a href="${returnUrl}">Back to AutoWatering</a></p>`,
  );
}

function subscriptionCard(subscription: Subscription, path: string): Html {
  const { id, status, periodEnd, cancelAtPeriodEnd } = subscription;
  const until = date(periodEnd);
  const choice = cancelAtPeriodEnd
    ? button(`${path}/${id}/keep`, 'Keep the subscription')
    : button(`${path}/${id}/end`, 'Cancel at the end of the period');
  return html`<section>
<p><strong>AutoWatering Premium</strong> <span class="status">${status}</span></p>
<p>${cancelAtPeriodEnd ? `Ends on ${until}` : `Paid until ${until}`}</p>
${isLive(subscription) ? html`<div class="choices">${choice}</div>` : ''}
</section>`;
}

const SHOWN = 30;

function dashboard(state: StripeState, webhooks: WebhookSender): Html {
  const subscriptions = state.all('subscriptions').slice(-SHOWN).reverse();
  const events = state.all('events').slice(-SHOWN).reverse();
  return page(
    'Dashboard',
    html`<h1>Dashboard</h1>
<p>It is <strong>${new Date(state.now() * 1000).toISOString().replace('T', ' ').slice(0, 16)} UTC</strong> here.</p>
<div class="choices">
${[1, 3, 7, 30].map((count) => button(`/forward/${count}`, count === 1 ? '1 day later' : `${count} days later`))}
</div>
<h2>Subscriptions</h2>
${table(
  'Subscriptions',
  ['Status', 'Period ends', 'Subscription', 'Customer'],
  subscriptions.map((one) => [one.status, date(one.periodEnd), one.id, one.customer]),
)}
<h2>Events</h2>
${table(
  'Events',
  ['Type', 'Webhook', 'Event'],
  events.map((event) => [event.type, delivered(event.id, webhooks), event.id]),
)}`,
  );
}

/** On a phone the table is wider than the page: it scrolls by itself, also by keyboard. */
function table(name: string, head: readonly string[], rows: readonly (readonly string[])[]): Html {
  if (rows.length === 0) return html`<p>None yet.</p>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${name}"><table>
<thead><tr>${head.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>`;
}

function delivered(eventId: string, webhooks: WebhookSender): string {
  const found = webhooks.deliveries.filter((one) => one.eventId === eventId);
  if (found.length === 0) return 'not sent';
  return found
    .map(({ state, attempts, lastStatus }) =>
      lastStatus === undefined ? state : `${state} (${lastStatus}, try ${attempts})`,
    )
    .join(', ');
}

function date(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

function isLive({ status }: Subscription): boolean {
  return status !== 'canceled' && status !== 'incomplete_expired';
}
