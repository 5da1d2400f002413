/** Whether pages of that origin may call: `ALLOWED_ORIGINS` as given, or `*` for every origin (dev only). */
export type OriginAllowed = (origin: string) => boolean;

/** An entry without a port stands for every port when it is `http(s)://localhost`; any other one is taken literally. */
export function originPolicy(allowed: readonly string[]): OriginAllowed {
  const exact = new Set(allowed.map((entry) => entry.toLowerCase().replace(/\/$/, '')));
  return (origin) => {
    const given = origin.toLowerCase();
    if (exact.has('*') || exact.has(given)) return true;
    const anyPort = given.match(/^(https?:\/\/localhost):\d{1,5}$/)?.[1];
    return anyPort !== undefined && exact.has(anyPort);
  };
}
