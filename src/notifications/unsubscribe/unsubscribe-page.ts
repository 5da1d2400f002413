import { escaped } from '../channels/mail-text.ts';
import type { LanguageCode } from '../texts/languages.ts';
import { plainText } from '../texts/wording.ts';

export type UnsubscribeState = 'question' | 'done' | 'invalid';

const STYLE =
  ':root{color-scheme:light dark;font-family:system-ui,sans-serif}' +
  'body{max-width:30rem;margin:3rem auto;padding:0 1rem;line-height:1.5}' +
  'button{font:inherit;padding:.7rem 1.4rem;border:0;border-radius:.5rem;background:#2e7d32;color:#fff}';

/** Only its own style and a form that leads back here. */
export const PAGE_HEADERS = {
  'Content-Type': 'text/html; charset=utf-8',
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** Asks before it ends anything: programs that look through mails follow every link. */
export function unsubscribePage(language: LanguageCode, state: UnsubscribeState): string {
  const say = (key: Parameters<typeof plainText>[1]) => escaped(plainText(language, key));
  // The form has no action: it is sent to this page's own address, token included.
  const form = `<form method="post"><button>${say('unsubscribe.button')}</button></form>`;
  return [
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">',
    `<title>${say('unsubscribe.title')}</title><style>${STYLE}</style></head><body><main>`,
    `<h1>${say('unsubscribe.title')}</h1><p>${say(`unsubscribe.${state}`)}</p>`,
    ...(state === 'question' ? [form] : []),
    '</main></body></html>',
  ].join('\n');
}
