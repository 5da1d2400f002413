import { Hono } from 'hono';
import * as z from 'zod';
import type { Outbox } from './outbox.ts';

const Content = z.strictObject({ Data: z.string().min(1), Charset: z.string().optional() });
const Address = z.string().regex(/^[^@\s<>]+@[^@\s<>]+$|^[^<>]+<[^@\s<>]+@[^@\s<>]+>$/);

/** SES's `SendEmail` (version 2), as far as a simple message goes. */
const SendEmail = z.strictObject({
  FromEmailAddress: Address,
  Destination: z.strictObject({ ToAddresses: z.array(Address).min(1).max(50) }),
  Content: z.strictObject({
    Simple: z.strictObject({
      Subject: Content,
      Body: z.strictObject({ Text: Content.optional(), Html: Content.optional() }),
      Headers: z
        .array(
          z.strictObject({ Name: z.string().regex(/^[!-9;-~]{1,126}$/), Value: z.string().regex(/^[ -~]{1,870}$/) }),
        )
        .max(15)
        .optional(),
    }),
  }),
});

/** Takes mails as SES does, and refuses what SES would. */
export function sesApi(outbox: Outbox, newId: () => string): Hono {
  return new Hono().post('/v2/email/outbound-emails', async (c) => {
    const mail = SendEmail.safeParse(await c.req.json());
    if (!mail.success) {
      c.header('x-amzn-errortype', 'BadRequestException');
      return c.json({ message: z.prettifyError(mail.error) }, 400);
    }
    const { FromEmailAddress: from, Destination: destination, Content: content } = mail.data;
    const { Subject: subject, Body: body, Headers: headers = [] } = content.Simple;
    for (const to of destination.ToAddresses) {
      outbox.add({
        ...{ channel: 'email', to, title: subject.Data, text: body.Text?.Data ?? '' },
        details: {
          from,
          html: body.Html?.Data ?? null,
          headers: Object.fromEntries(headers.map(({ Name, Value }) => [Name, Value])),
        },
      });
    }
    return c.json({ MessageId: newId() });
  });
}
