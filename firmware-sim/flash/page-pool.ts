import { createHash } from 'node:crypto';

/**
 * Pages that many simulated chips hold in common: thousands of devices run the same firmware, and each page of it is in
 * memory once. What is in the pool is never written to again; a chip that changes such a page makes its own copy first.
 */
export class PagePool {
  readonly #pages = new Map<string, Uint8Array>();
  readonly #shared = new WeakSet<Uint8Array>();

  get size(): number {
    return this.#pages.size;
  }

  /** The one page of the pool with these bytes, which may be the page given. */
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
