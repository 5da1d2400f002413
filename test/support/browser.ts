import { type Browser, type BrowserContextOptions, chromium as playwright } from 'playwright-core';
import { chromium } from './chromium.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Opens pages and presses their buttons, with or without a real browser. */
export interface Visitor {
  /** Opens a page and returns its text. */
  open(url: string): Promise<string>;
  /** Presses the button with this name and returns the text of the resulting page. */
  press(button: string): Promise<string>;
  url(): string;
  leave(): Promise<void>;
}

/** A real headless browser, with a phone's viewport by default. */
export async function startBrowser(
  options: BrowserContextOptions = {},
): Promise<Visitor & { readonly browser: Browser }> {
  const { executablePath, env } = await chromium();
  const browser = await playwright.launch({ executablePath, args: FLAGS, env: { ...process.env, ...env } });
  const context = await browser.newContext({ viewport: { width: 360, height: 740 }, isMobile: true, ...options });
  const page = await context.newPage();
  const text = () => page.locator('body').innerText();
  return {
    browser,
    async open(url) {
      await page.goto(url);
      return text();
    },
    async press(button) {
      const found = page.getByRole('button', { name: button, exact: true });
      // By keyboard, as someone without a pointer would.
      await found.focus();
      await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
      return text();
    },
    url: () => page.url(),
    leave: () => browser.close(),
  };
}

/** The same without a browser: forms are parsed from the HTML and submitted. */
export function plainVisitor(): Visitor {
  let at = '';
  let html = '';
  const arrive = async (response: Response) => {
    at = response.url;
    html = await response.text();
    return html
      .replace(/<style>[\s\S]*?<\/style>/, '')
      .replace(/<[^>]+>/g, ' ')
      .replace(/\s+/g, ' ');
  };
  return {
    open: async (url) => arrive(await fetch(url)),
    async press(button) {
      const forms = [...html.matchAll(/<form method="post" action="([^"]+)">\s*<button[^>]*>([^<]*)<\/button>/g)];
      const form = forms.find(([, , name]) => name === button);
      if (form?.[1] === undefined) throw new Error(`no button “${button}” on ${at}`);
      return arrive(await fetch(new URL(form[1], at), { method: 'POST' }));
    },
    url: () => at,
    leave: async () => {},
  };
}
