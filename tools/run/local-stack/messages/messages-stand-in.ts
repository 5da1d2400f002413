import { randomUUID } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import * as z from 'zod';
import { type AccessKey, verifySignature } from '../s3/signature-v4.ts';
import { readAll, type StandIn, startStandIn } from '../stand-in-server.ts';
import { messagesPage } from './messages-page.ts';
import { Outbox, type SentMessage } from './outbox.ts';
import { type LocalSubscription, PushService } from './push-service.ts';
import { sesApi } from './ses-api.ts';
import { createSnsApi } from './sns-api.ts';

export interface MessagesStandIn extends StandIn {
  /** What was sent, oldest first. */
  readonly sent: () => readonly SentMessage[];
  /** A browser that subscribes with the server's public key. */
  subscribe(name: string, serverKey: string): LocalSubscription;
  /** A browser that is no more. */
  forget(subscription: LocalSubscription): void;
}

export interface MessagesOptions {
  readonly accessKey: AccessKey;
  readonly preferredPort?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

const Subscribing = z.object({ name: z.string().min(1).max(60), public_key: z.string() });

/**
 * Starts what mails and pushes go to locally: SES, SNS and a browsers' push service on one port, and a page that shows
 * all that was sent. `POST /_browsers` makes a browser to subscribe with; `GET /_messages` lists as JSON.
 */
export async function startMessages({
  accessKey,
  preferredPort,
  now = Date.now,
}: MessagesOptions): Promise<MessagesStandIn> {
  const outbox = new Outbox(now);
  const push = new PushService(outbox, () => standIn.url, now);
  const sns = createSnsApi(outbox, randomUUID);
  const app = new Hono()
    .get('/', (c) => c.html(messagesPage(outbox.messages)))
    .post('/clear', (c) => {
      outbox.clear();
      return c.redirect('/', 303);
    })
    .get('/_messages', (c) => c.json(outbox.messages))
    .post('/_browsers', async (c) => {
      const wanted = Subscribing.safeParse(await c.req.json());
      if (!wanted.success) return c.json({ error: wanted.error.message }, 400);
      return c.json(push.subscribe(wanted.data.name, wanted.data.public_key), 201);
    })
    .post('/push/:id', async (c) => {
      const body = Buffer.from(await c.req.arrayBuffer());
      const { status, reason } = push.take(c.req.param('id'), (name) => c.req.header(name), body);
      return new Response(reason, { status });
    })
    .route('/', sesApi(outbox, randomUUID));
  const listen = getRequestListener(app.fetch);

  const standIn = await startStandIn(async (request, response) => {
    const isSns = request.method === 'POST' && request.url === '/';
    if (!isSns && request.url !== '/v2/email/outbound-emails') {
      await listen(request, response);
      return;
    }
    const body = await readAll(request);
    const verdict = verifySignature(request, accessKey, now(), { body });
    if (!verdict.good) {
      response.writeHead(403, { 'Content-Type': 'application/json', 'x-amzn-errortype': verdict.code });
      response.end(JSON.stringify({ message: verdict.code }));
      return;
    }
    if (isSns) {
      const answer = sns(new URLSearchParams(body.toString('utf8')));
      response.writeHead(answer.status, { 'Content-Type': 'text/xml' }).end(answer.body);
      return;
    }
    const answer = await app.request('/v2/email/outbound-emails', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: body.toString('utf8'),
    });
    const errorType = answer.headers.get('x-amzn-errortype');
    response.writeHead(answer.status, {
      'Content-Type': 'application/json',
      ...(errorType === null ? {} : { 'x-amzn-errortype': errorType }),
    });
    response.end(await answer.text());
  }, preferredPort);

  return {
    ...standIn,
    sent: () => outbox.messages,
    subscribe: (name, serverKey) => push.subscribe(name, serverKey),
    forget: (subscription) => push.forget(subscription),
  };
}
