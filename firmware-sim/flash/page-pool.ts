import { createHash } from 'node:crypto';

/**
 * Pages shared by many simulated chips: thousands of devices run the same firmware, and each of its pages is in memory
 * once. Pooled pages are never written; a chip copies such a page before changing it.
 */
export class PagePool {
  readonly #pages = new Map<string, Uint8Array>();
  readonly #shared = new WeakSet<Uint8Array>();

  get size(): number {
    return this.#pages.size;
  }

  /** Returns the pool's only page with these bytes, which may be the given one. */
  share(page: Uint8Array): Uint8Array {
    if (this.#shared.has(page)) return page;
    const key = createHash('sha1').update(page).digest('base64');
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    this.#pages.set(key, page);
    this.#shared.add(page);
    return page;
  }

  isShared(page: Uint8Array): boolean {
    return this.#shared.has(page);
  }
}
