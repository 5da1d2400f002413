import * as z from 'zod';
import { defineRoute, type Reply, type Route } from '../../http/define-route.ts';
import { listed } from '../../platform/aws/secrets.ts';
import type { Services } from '../../platform/services.ts';
import { NOTICE_KINDS } from '../notice.ts';
import type { Preferences } from '../settings/preferences.ts';
import type { SettingsStore } from '../settings/settings-store.ts';
import { type LanguageCode, STANDARD_LANGUAGE } from '../texts/languages.ts';
import { PAGE_HEADERS, type UnsubscribeState, unsubscribePage } from './unsubscribe-page.ts';
import { readUnsubscription, type UnsubscribeScope } from './unsubscribe-token.ts';

/** A mail program asks once; a stranger does not try tokens. */
const LIMIT = { requests: 60, windowSeconds: 600, per: 'address' } as const;
const query = z.object({ token: z.string().max(600).optional() });

export interface UnsubscribeRouteParts {
  readonly settings: SettingsStore;
  readonly isAccountDeleted: (uid: Parameters<SettingsStore['read']>[0]) => Promise<boolean>;
}

/** The links at the end of mails. They work without signing in, and can do nothing but end mails. */
export function unsubscribeRoutes(
  { clock, metrics, secrets }: Pick<Services, 'clock' | 'metrics' | 'secrets'>,
  { settings, isAccountDeleted }: UnsubscribeRouteParts,
): readonly Route[] {
  const verified = async (token: string | undefined) => {
    const keys = listed((await secrets.values()).UNSUBSCRIBE_KEY);
    const found = readUnsubscription(token ?? '', keys, clock.now());
    // Nothing is written for an account that is gone.
    return found === undefined || (await isAccountDeleted(found.uid)) ? undefined : found;
  };
  const page = (language: LanguageCode, state: UnsubscribeState): Reply<200, string> => ({
    status: 200,
    body: unsubscribePage(language, state),
    headers: PAGE_HEADERS,
  });

  const ask = defineRoute({
    method: 'GET',
    path: '/notifications/unsubscribe',
    auth: 'public',
    domain: 'notifications',
    answerKind: 'page',
    summary: 'The page behind the link at the end of a mail',
    description: 'It asks; the POST ends the mails. Programs that look through mails follow links.',
    rateLimit: LIMIT,
    query,
    responses: { 200: z.string() },
    errors: [],
  }).handledBy(async ({ query: { token } }) => {
    const found = await verified(token);
    if (found === undefined) return page(STANDARD_LANGUAGE, 'invalid');
    const { preferences } = await settings.read(found.uid);
    return page(preferences.language ?? STANDARD_LANGUAGE, 'question');
  });

  const end = defineRoute({
    method: 'POST',
    path: '/notifications/unsubscribe',
    auth: 'public',
    idempotent: true,
    domain: 'notifications',
    answerKind: 'page',
    summary: 'Ends mails of a kind, or all, with one click (RFC 8058)',
    description: 'The `token` of the address is signed, says whose mails and which, and is valid for 400 days.',
    rateLimit: LIMIT,
    // Mail programs send a form of either type, in which nothing is new; the token says everything.
    bodyKind: 'none',
    query,
    responses: { 200: z.string() },
    errors: [],
  }).handledBy(async ({ query: { token } }) => {
    const found = await verified(token);
    if (found === undefined) return page(STANDARD_LANGUAGE, 'invalid');
    const { uid, scope } = found;
    const { language } = await settings.change(uid, (known) => withoutMails(known, scope));
    // A deletion that began meanwhile may have passed by the settings already.
    if (await isAccountDeleted(uid)) {
      await settings.remove(uid);
      return page(STANDARD_LANGUAGE, 'invalid');
    }
    metrics.count('MailsUnsubscribed');
    return page(language ?? STANDARD_LANGUAGE, 'done');
  });

  return [ask, end];
}

function withoutMails(preferences: Preferences, scope: UnsubscribeScope): Preferences {
  const ended = NOTICE_KINDS.filter((kind) => scope === 'all' || scope === kind);
  const kinds = ended.map((kind) => [kind, { ...preferences.kinds[kind], email: false }] as const);
  return { ...preferences, kinds: { ...preferences.kinds, ...Object.fromEntries(kinds) } };
}
