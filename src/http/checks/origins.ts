/** Whether pages of that origin may call: `ALLOWED_ORIGINS` as given, or `*` for every origin (dev only). */
export type OriginAllowed = (origin: string) => boolean;

/**
 * Entries are taken literally, as the bucket takes the same list: `http://localhost` is the app's shell, and lets in no
 * development server on another port.
 */
export function originPolicy(allowed: readonly string[]): OriginAllowed {
  const exact = new Set(allowed.map((entry) => entry.toLowerCase().replace(/\/$/, '')));
  return (origin) => exact.has('*') || exact.has(origin.toLowerCase());
}
