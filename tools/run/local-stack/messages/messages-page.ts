import { html, raw } from 'hono/html';
import { STYLE } from '../page-style.ts';
import type { SentMessage } from './outbox.ts';

const MORE_STYLE = `
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0; }
article h2 { margin: .25rem 0; font-size: 1.05rem; }
article p { margin: .25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; }
article .meta { font-size: .85rem; opacity: .8; }
article time { white-space: nowrap; }
.channel { border: 1px solid currentColor; border-radius: 1rem; padding: .05rem .6rem; margin-right: .5rem; }
`;

const CHANNELS = { email: 'Mail', web_push: 'Browser', mobile_push: 'Phone' } as const;

type Html = ReturnType<typeof html>;

/** Mails and pushes of the local stack, newest first. */
export function messagesPage(messages: readonly SentMessage[]): Html {
  const newestFirst = [...messages].reverse();
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mails and pushes · local stack</title>
<link rel="icon" href="data:,">
<style>${raw(STYLE)}${raw(MORE_STYLE)}</style>
</head>
<body>
<header>Mails and pushes <span>nobody gets them but you</span></header>
<main>
<h1>${messages.length === 0 ? 'Nothing was sent yet' : `${messages.length} sent`}</h1>
${messages.length === 0 ? html`<p class="hint">A new phone in an account, an alarm, or “Send a test” in the app: what its owner would get appears here.</p>` : ''}
${newestFirst.map(shown)}
${messages.length === 0 ? '' : html`<form method="post" action="/clear"><button class="quiet">Clear</button></form>`}
</main>
</body>
</html>`;
}

function shown({ channel, to, title, text, at }: SentMessage): Html {
  return html`<article>
<p class="meta"><span class="channel">${CHANNELS[channel]}</span>${to} · <time datetime="${new Date(at).toISOString()}">${new Date(at).toISOString().replace('T', ' ').slice(0, 19)} UTC</time></p>
<h2>${title}</h2>
<p>${linked(text)}</p>
</article>`;
}

/** Makes addresses in a mail's text clickable. */
function linked(text: string): readonly (Html | string)[] {
  return text
    .split(/(https?:\/\/\S+)/)
    .map((part) =>
      /^https?:/.test(part) ? html`<a href="${part}">${part.length > 60 ? `${part.slice(0, 60)}…` : part}</a>` : part,
    );
}
