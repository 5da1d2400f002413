import { createHash } from 'node:crypto';
import type { MobileMessage } from '../../platform/messaging/mobile-push.ts';
import type { PushMessage } from '../../platform/messaging/web-push/web-push.ts';
import type { Composition } from '../delivery/composition.ts';
import type { LanguageCode } from '../texts/languages.ts';
import { plainText } from '../texts/wording.ts';

/** A lock screen shows about as many; the rest is in the app. */
const MOST_LINES = 5;
const MOST_TEXT = 600;
/** A leak is worth telling the next day, a digest until the next one. */
const URGENT_SECONDS = 3 * 24 * 60 * 60;
const ORDINARY_SECONDS = 24 * 60 * 60;

export function webPushOf(composition: Composition, language: LanguageCode): PushMessage {
  const { messageId, title, isUrgent } = composition;
  return {
    payload: JSON.stringify({
      title,
      body: shortText(composition, language),
      notification_id: messageId,
      is_urgent: isUrgent,
      language,
    }),
    ttlSeconds: isUrgent ? URGENT_SECONDS : ORDINARY_SECONDS,
    urgency: isUrgent ? 'high' : 'normal',
    // The same for every attempt: a browser that was asleep shows it once.
    topic: createHash('sha256').update(messageId).digest('base64url').slice(0, 32),
  };
}

export function mobilePushOf(composition: Composition, language: LanguageCode): MobileMessage {
  const { messageId, title, isUrgent } = composition;
  return { title, body: shortText(composition, language), messageId, isUrgent };
}

function shortText({ lines }: Composition, language: LanguageCode): string {
  const shown = lines.length > MOST_LINES ? [...lines.slice(0, MOST_LINES), plainText(language, 'digest.more')] : lines;
  return shown.join('\n').slice(0, MOST_TEXT);
}
