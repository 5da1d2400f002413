/** Entries by a key, in the order in which they came. */
export function groupedBy<K, E>(entries: Iterable<E>, keyOf: (entry: E) => K): ReadonlyMap<K, readonly E[]> {
  const groups = new Map<K, E[]>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [entry]);
    else group.push(entry);
  }
  return groups;
}
