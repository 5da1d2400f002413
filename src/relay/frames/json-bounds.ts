import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from '@autowatering/relay-protocol';

/**
 * What is wrong with parsed JSON from outside, or undefined: nested too deeply, too many values, numbers that JSON can't
 * write back, or text with unpaired surrogates, which not every client could read.
 */
export function jsonFault(root: unknown): string | undefined {
  const waiting: { readonly value: unknown; readonly depth: number }[] = [{ value: root, depth: 0 }];
  let values = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    values += 1;
    if (values > MAX_JSON_VALUES) return `more than ${MAX_JSON_VALUES} values`;
    if (typeof value === 'string' && !value.isWellFormed()) return 'text with an unpaired surrogate';
    if (typeof value === 'number' && !Number.isFinite(value)) return 'a number that is too large';
    if (typeof value !== 'object' || value === null) continue;
    if (depth >= MAX_JSON_DEPTH) return `nested deeper than ${MAX_JSON_DEPTH}`;
    for (const [name, child] of Object.entries(value)) {
      if (!name.isWellFormed()) return 'a name with an unpaired surrogate';
      waiting.push({ value: child, depth: depth + 1 });
    }
  }
  return undefined;
}
