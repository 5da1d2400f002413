import { StripeApiError } from './parameters.ts';

export interface StoredAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface Remembered {
  readonly request: string;
  readonly answer: Promise<StoredAnswer>;
  isDone: boolean;
}

/**
 * Stripe's idempotency keys: the first response is repeated, different parameters under the same key are an error, and
 * a concurrent second request is a conflict. Requests refused before processing are not recorded.
 */
export class IdempotencyKeys {
  readonly #remembered = new Map<string, Remembered>();

  async answer(
    key: string | undefined,
    request: string,
    execute: () => Promise<StoredAnswer>,
  ): Promise<StoredAnswer & { readonly replayed: boolean }> {
    if (key === undefined) return { ...(await execute()), replayed: false };
    const known = this.#remembered.get(key);
    if (known !== undefined) {
      if (known.request !== request) {
        throw new StripeApiError(
          400,
          'Keys for idempotent requests can only be used with the same parameters they were first used with.',
          {
            type: 'idempotency_error',
          },
        );
      }
      if (!known.isDone) {
        throw new StripeApiError(409, 'There is currently another in-progress request using this Idempotent Key.', {
          type: 'idempotency_error',
          code: 'idempotency_key_in_use',
        });
      }
      return { ...(await known.answer), replayed: true };
    }
    const entry: Remembered = { request, answer: execute(), isDone: false };
    this.#remembered.set(key, entry);
    try {
      const answer = await entry.answer;
      entry.isDone = true;
      return { ...answer, replayed: false };
    } catch (error) {
      this.#remembered.delete(key);
      throw error;
    }
  }
}
