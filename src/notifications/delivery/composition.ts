import type { Message } from '../inbox/message.ts';
import { plainText, type Reader, type Wording, wordingOf } from '../texts/wording.ts';
import type { UnsubscribeScope } from '../unsubscribe/unsubscribe-token.ts';

/** What is sent, in words, the same for every channel. */
export interface Composition {
  /** Of the first message: what the app opens. */
  readonly messageId: string;
  readonly title: string;
  readonly lines: readonly string[];
  readonly isUrgent: boolean;
  /** Which mails the link in this one ends. */
  readonly scope: UnsubscribeScope;
}

/** Says one message. */
export function composeOne(message: Message, reader: Reader): Composition {
  const { messageId, severity, kind } = message;
  const { title, body, device } = wordingOf(message, reader);
  const isUrgent = severity === 'critical' || severity === 'danger';
  return { messageId, title, lines: device === null ? [body] : [body, device], isUrgent, scope: kind };
}

/** Says several messages as one, in this order. */
export function composeDigest(messages: readonly [Message, ...Message[]], reader: Reader): Composition {
  const [first] = messages;
  return {
    messageId: first.messageId,
    title: plainText(reader.language, 'digest.title'),
    lines: messages.map((message) => line(wordingOf(message, reader))),
    isUrgent: false,
    scope: 'all',
  };
}

export function composeTest(messageId: string, reader: Reader): Composition {
  const { language } = reader;
  return {
    messageId,
    title: plainText(language, 'test.title'),
    lines: [plainText(language, 'test.body')],
    isUrgent: false,
    scope: 'all',
  };
}

function line({ title, device }: Wording): string {
  return device === null ? title : `${title} (${device})`;
}
