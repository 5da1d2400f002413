/** Checks an origin against `ALLOWED_ORIGINS`; `*` allows every origin (dev only). */
export type OriginAllowed = (origin: string) => boolean;

/**
 * Entries match literally, like in the bucket's CORS rules: `http://localhost` is the app's shell and doesn't allow
 * development servers on other ports.
 */
export function originPolicy(allowed: readonly string[]): OriginAllowed {
  const exact = new Set(allowed.map((entry) => entry.toLowerCase().replace(/\/$/, '')));
  return (origin) => exact.has('*') || exact.has(origin.toLowerCase());
}
