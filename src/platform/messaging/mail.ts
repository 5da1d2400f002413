import type { SignedCall } from '../aws/signed-calls.ts';
import type { Log } from '../observability/log.ts';
import { awsOutcomeOf, type SendOutcome } from './outcome.ts';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Further headers, such as those for unsubscribing. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface MailSender {
  /** Never throws for what the other side does. `later` means that the mail may have been sent all the same. */
  send(mail: Mail): Promise<Exclude<SendOutcome, 'gone'>>;
}

const PATH = '/v2/email/outbound-emails';

/**
 * Sends mails by SES's API, version 2.
 *
 * @param from an address, possibly with a name, whose domain SES knows as ours
 */
export function createMailSender(call: SignedCall, from: string, log: Pick<Log, 'warn'>): MailSender {
  const content = (text: string) => ({ Data: text, Charset: 'UTF-8' });
  return {
    async send({ to, subject, text, html, headers }) {
      const body = JSON.stringify({
        FromEmailAddress: from,
        Destination: { ToAddresses: [to] },
        Content: {
          Simple: {
            Subject: content(subject),
            Body: { Text: content(text), Html: content(html) },
            Headers: Object.entries(headers).map(([Name, Value]) => ({ Name, Value })),
          },
        },
      });
      try {
        const { status, body: answer } = await call('POST', PATH, body);
        const outcome = awsOutcomeOf(status, answer);
        if (outcome !== 'sent') log.warn('SES did not take a mail', { status });
        return outcome;
      } catch (error) {
        log.warn('SES did not answer', {}, error);
        return 'later';
      }
    },
  };
}
