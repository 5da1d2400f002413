/** Values by name that a container learned a moment ago. Other containers may have changed them since (ADR 117). */
export interface Recent<Value> {
  find(name: string, now: number): Value | undefined;
  /** @param at when it was true, in milliseconds since 1970 */
  keep(name: string, value: Value, at: number): void;
  forget(name: string): void;
}

/**
 * Keeps values for a moment in this container's memory.
 *
 * @param ms how long one counts
 * @param most how many there are at once; the ones kept first leave first
 */
export function createRecent<Value>({ ms, most }: { readonly ms: number; readonly most: number }): Recent<Value> {
  const kept = new Map<string, { readonly value: Value; readonly at: number }>();
  const isOver = (at: number, now: number) => now < at || now - at >= ms;

  return {
    find(name, now) {
      const found = kept.get(name);
      return found === undefined || isOver(found.at, now) ? undefined : found.value;
    },
    keep(name, value, at) {
      // Behind the others, which are older.
      kept.delete(name);
      kept.set(name, { value, at });
      for (const [oldest, { at: since }] of kept) {
        if (kept.size <= most && !isOver(since, at)) return;
        kept.delete(oldest);
      }
    },
    forget: (name) => {
      kept.delete(name);
    },
  };
}
