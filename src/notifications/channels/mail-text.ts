import type { Mail } from '../../platform/messaging/mail.ts';
import type { Composition } from '../delivery/composition.ts';
import type { LanguageCode } from '../texts/languages.ts';
import { plainText } from '../texts/wording.ts';

/** Addresses that end mails of this kind, or all. */
export interface UnsubscribeLinks {
  readonly ofKind: string;
  readonly all: string;
}

/** Writes a mail: plain text, and the same as a page without pictures or scripts. */
export function mailOf(to: string, composition: Composition, language: LanguageCode, links: UnsubscribeLinks): Mail {
  const { title, lines, scope } = composition;
  const say = (key: Parameters<typeof plainText>[1]) => plainText(language, key);
  const ends = [
    ...(scope === 'all' ? [] : [[say('mail.unsubscribe'), links.ofKind] as const]),
    [say('mail.unsubscribe-all'), links.all] as const,
  ];
  return {
    to,
    subject: title,
    text: [...lines, '', '-- ', say('mail.why'), ...ends.map(([what, link]) => `${what}: ${link}`), ''].join('\n'),
    html: page(language, title, [
      ...lines.map((line) => `<p>${escaped(line)}</p>`),
      '<hr>',
      `<p style="color:#666;font-size:smaller">${[
        escaped(say('mail.why')),
        ...ends.map(([what, link]) => `<a href="${escaped(link)}">${escaped(what)}</a>`),
      ].join('<br>')}</p>`,
    ]),
    headers: {
      'List-Unsubscribe': `<${links.ofKind}>`,
      // RFC 8058: mail programs end the mails with one click, by a POST.
      'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      // RFC 3834: nobody's absence answers it.
      'Auto-Submitted': 'auto-generated',
    },
  };
}

function page(language: LanguageCode, title: string, content: readonly string[]): string {
  return [
    `<!doctype html><html lang="${language}"><head><meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">',
    `<title>${escaped(title)}</title></head><body style="font-family:sans-serif;max-width:36em;margin:1em auto">`,
    `<h1 style="font-size:1.3em">${escaped(title)}</h1>`,
    ...content,
    '</body></html>',
  ].join('\n');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (one) => ENTITIES[one] ?? one);
}
