import type { BillingConfig } from '../../platform/config.ts';

const LONGEST = 2_048;
/** Written out in full, so that no parser has anything to guess: a scheme, two slashes, and a name behind them. */
const WRITTEN_OUT = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]+)([/?#].*)?$/i;
const PRINTABLE_ASCII = /^[\x21-\x7e]+$/;
/** Characters that some parser drops or takes for a slash, as they are or encoded. */
const TREACHEROUS = /[\\<>"^`|]|%(?:[01][0-9a-f]|7f|5c)/i;

export type ReturnUrl = { readonly kind: 'app' | 'web'; readonly url: string };
type Policy = Pick<BillingConfig, 'returnSchemes' | 'returnOrigins'>;

/**
 * The address, if one of Stripe's pages may lead back to it: the app's own scheme, or a listed web origin. Undefined
 * for everything else, so that nobody can use our pages to send a person elsewhere.
 */
export function allowedReturnUrl(text: string, policy: Policy): ReturnUrl | undefined {
  if (text.length > LONGEST || !PRINTABLE_ASCII.test(text) || TREACHEROUS.test(text)) return undefined;
  const [, scheme = '', authority = ''] = WRITTEN_OUT.exec(text) ?? [];
  // Credentials in front of an @ are how a look-alike hides its host; an encoded @ may be decoded by somebody later.
  if (authority === '' || /[@%]/.test(authority) || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return undefined;
  if (policy.returnSchemes.includes(scheme)) return { kind: 'app', url: text };
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:';
  return isWeb && policy.returnOrigins.includes(url.origin) ? { kind: 'web', url: text } : undefined;
}

/** Stripe takes http(s) only: the app's own scheme is reached by way of a page of this API. */
export function forStripe({ kind, url }: ReturnUrl, apiBaseUrl: string): string {
  return kind === 'web' ? url : `${apiBaseUrl}/appReturn?to=${encodeURIComponent(url)}`;
}

/** Where the app is taken when a client does not say; the first of its schemes. */
export function defaultReturnUrl(checkout: 'success' | 'cancel' | undefined, policy: Policy): ReturnUrl {
  const query = checkout === undefined ? '' : `?checkout=${checkout}`;
  return { kind: 'app', url: `${policy.returnSchemes[0] ?? 'autowatering'}://premium${query}` };
}
