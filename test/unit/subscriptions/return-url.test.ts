import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowedReturnUrl, defaultReturnUrl, forStripe } from '../../../src/subscriptions/checkout/return-url.ts';

const policy = {
  returnSchemes: ['autowatering'],
  returnOrigins: ['https://app.example.com', 'http://localhost:8100'],
};
const allowed = (text: string) => allowedReturnUrl(text, policy);

describe('an allowed return address', () => {
  it.each([
    'autowatering://premium?checkout=success',
    'autowatering://premium',
    'autowatering://premium/plans?tab=1#top',
    'autowatering://premium?text=50%25%20off',
  ])('returns to the app: %s', (url) => {
    expect(allowed(url)).toEqual({ kind: 'app', url });
  });

  it.each([
    'https://app.example.com',
    'https://app.example.com/',
    'https://app.example.com/premium?session={CHECKOUT_SESSION_ID}',
    'https://app.example.com:443/x',
    'http://localhost:8100/premium#done',
  ])('returns to a listed origin: %s', (url) => {
    expect(allowed(url)).toEqual({ kind: 'web', url });
  });
});

/** Real-world open redirects: each must be rejected. */
const HOSTILE = [
  // Schemes that execute or read something.
  'javascript:alert(1)',
  'JavaScript:alert(1)',
  'javascript://app.example.com/%0aalert(1)',
  'javascript://premium/%0Aalert(1)',
  'java\tscript:alert(1)',
  'java\nscript://app.example.com/',
  ' javascript:alert(1)',
  '\u0001javascript:alert(1)',
  'vbscript:msgbox(1)',
  'data:text/html,<script>alert(1)</script>',
  'data:text/html;base64,PHNjcmlwdD4=',
  'data://app.example.com/,x',
  'blob:https://app.example.com/uuid',
  'file:///etc/passwd',
  'filesystem:https://app.example.com/temporary/x',
  'about:blank',
  'intent://scan/#Intent;scheme=autowatering;end',
  'ftp://app.example.com/',
  'ws://app.example.com/',
  'view-source:https://app.example.com',
  // No scheme, or half of one.
  '',
  '/',
  '//evil.com',
  '///evil.com',
  '/\\evil.com',
  '\\\\evil.com',
  'evil.com',
  'app.example.com',
  'https:app.example.com',
  'https:/app.example.com',
  'https:evil.com',
  'https:\\\\evil.com',
  'https:///evil.com',
  'https://',
  'autowatering:premium',
  'autowatering:/premium',
  'autowatering:',
  'autowatering://',
  'autowatering:///premium',
  // Look-alikes, and hosts hidden behind others.
  'https://evil.com',
  'https://app.example.com.evil.com',
  'https://evil.com/app.example.com',
  'https://evil.com?https://app.example.com',
  'https://evil.com#https://app.example.com',
  'https://app.example.comevil.com',
  'https://xapp.example.com',
  'https://app.example.com:8443/',
  'http://app.example.com/',
  'https://localhost:8100/',
  'http://localhost:8101/',
  'http://localhost/',
  'https://app-example.com/',
  'https://APP.example.com.evil.com',
  'https://аpp.example.com/',
  'https://app。example.com/',
  'https://app.example.com%2eevil.com/',
  'https://app.example.com%00.evil.com/',
  'https://app.example.com%5c.evil.com/',
  'https://app.example.com%2f@evil.com/',
  // Credentials.
  'https://app.example.com@evil.com/',
  'https://app.example.com:pass@evil.com/',
  'https://user@app.example.com/',
  'https://user:pass@app.example.com/',
  'https://evil.com\\@app.example.com/',
  'https://app.example.com%40evil.com/',
  'autowatering://user:pass@premium',
  'autowatering://evil.com@premium',
  'autowatering://evil.com%40premium',
  // White space and control characters, raw and encoded.
  'https://app.example.com/\r\nSet-Cookie: x=1',
  'https://app.example.com/\tx',
  'https://app.example.com/ x',
  'https://app.example.com/%0d%0aLocation:%20https://evil.com',
  'autowatering://premium%0d%0aLocation:https://evil.com',
  'autowatering://premium?x=%00',
  'autowatering://premium?x=%1b[0m',
  'autowatering://premium\\evil',
  'autowatering://premium?x=%5c%5cevil.com',
  'autowatering://premium"onclick="x',
  'autowatering://premium/<script>',
  'https://app.example.com/\u202ecod.exe',
  'https://app.example.com/\u00a0',
  // Another app's scheme, or ours in another spelling.
  'autowatering-evil://premium',
  'xautowatering://premium',
  'autowatering2://premium',
  'AutoWatering://premium',
  'autowatering%3A%2F%2Fpremium',
  'https%3A%2F%2Fapp.example.com',
  `https://app.example.com/${'x'.repeat(3_000)}`,
];

describe('a hostile return address', () => {
  it('is tested in at least sixty variants', () => {
    expect(new Set(HOSTILE).size).toBe(HOSTILE.length);
    expect(HOSTILE.length).toBeGreaterThanOrEqual(60);
  });

  it.each(HOSTILE)('%j is rejected', (url) => {
    expect(allowed(url)).toBeUndefined();
  });

  it('of any kind never leads outside the allowed places, as a browser parses it', () => {
    const piece = fc.constantFrom(
      ...[
        'https:',
        'http:',
        'javascript:',
        'autowatering:',
        '//',
        '/',
        '\\',
        '@',
        ':',
        '#',
        '?',
        '%',
        '%2f',
        '%40',
        '.',
        '\t',
      ],
      ...['app.example.com', 'evil.com', 'localhost:8100', 'premium', 'x', '..', ' ', '\u0000', '{', '[', ']'],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 9 }), (pieces) => {
        const found = allowed(pieces.join(''));
        if (found === undefined) return;
        const url = new URL(found.url);
        expect(url.username + url.password).toBe('');
        if (found.kind === 'web') expect(policy.returnOrigins).toContain(url.origin);
        else expect(url.protocol).toBe('autowatering:');
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('for Stripe, which accepts only web addresses,', () => {
  it('the app is reached through this API', () => {
    const url = forStripe({ kind: 'app', url: 'autowatering://premium?a=1&b=2' }, 'https://api.example.com');
    expect(url).toBe('https://api.example.com/appReturn?to=autowatering%3A%2F%2Fpremium%3Fa%3D1%26b%3D2');
    expect(new URL(url).searchParams.get('to')).toBe('autowatering://premium?a=1&b=2');
  });

  it('a missing address returns to the app with its first scheme', () => {
    expect(defaultReturnUrl('success', policy).url).toBe('autowatering://premium?checkout=success');
    expect(defaultReturnUrl('cancel', policy).url).toBe('autowatering://premium?checkout=cancel');
    expect(defaultReturnUrl(undefined, policy).url).toBe('autowatering://premium');
  });
});
