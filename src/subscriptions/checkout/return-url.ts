import type { BillingConfig } from '../../platform/config.ts';

const LONGEST = 2_048;
/** Written out in full, so that no parser has to guess: a scheme, two slashes and a name. */
const WRITTEN_OUT = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]+)([/?#].*)?$/i;
const PRINTABLE_ASCII = /^[\x21-\x7e]+$/;
/** Characters, plain or encoded, that some parser drops or treats as a slash. */
const TREACHEROUS = /[\\<>"^`|]|%(?:[01][0-9a-f]|7f|5c)/i;

export type ReturnUrl = { readonly kind: 'app' | 'web'; readonly url: string };
type Policy = Pick<BillingConfig, 'returnSchemes' | 'returnOrigins'>;

/**
 * Returns the URL if one of Stripe's pages may lead back to it: the app's own scheme, or a listed web origin. Returns
 * undefined for everything else, so that nobody can abuse our pages as an open redirect.
 */
export function allowedReturnUrl(text: string, policy: Policy): ReturnUrl | undefined {
  if (text.length > LONGEST || !PRINTABLE_ASCII.test(text) || TREACHEROUS.test(text)) return undefined;
  const [, scheme = '', authority = ''] = WRITTEN_OUT.exec(text) ?? [];
  // A look-alike hides its host behind credentials and an @; an encoded @ may be decoded later.
  if (authority === '' || /[@%]/.test(authority) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return undefined;
  if (policy.returnSchemes.includes(scheme)) return { kind: 'app', url: text };
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return isWeb && policy.returnOrigins.includes(url.origin) ? { kind: 'web', url: text } : undefined;
}

/** Stripe accepts http(s) only, so the app's own scheme is reached through a page of this API. */
export function forStripe({ kind, url }: ReturnUrl, apiBaseUrl: string): string {
  return kind === 'web' ? url : `${apiBaseUrl}/appReturn?to=${encodeURIComponent(url)}`;
}

/** The return URL for clients that send none, in the app's first scheme. */
export function defaultReturnUrl(checkout: 'success' | 'cancel' | undefined, policy: Policy): ReturnUrl {
  const query = checkout === undefined ? '' : `?checkout=${checkout}`;
  return { kind: 'app', url: `${policy.returnSchemes[0] ?? 'autowatering'}://premium${query}` };
}
