import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** Reproducible randomness: the same seed draws the same numbers. */
export interface Random {
  /** At least 0 and below 1. */
  next(): number;
  /** Whether an event with this probability happens. */
  happens(probability: number): boolean;
  /** Picks one of these by weight. */
  pick<T>(choices: readonly Weighted<T>[]): T;
}

export interface Weighted<T> {
  readonly value: T;
  readonly weight: number;
}

export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  const next = () => uniformFloat64(generator);
  return {
    next,
    happens: (probability) => probability > 0 && next() < probability,
    pick(choices) {
      let left = next() * choices.reduce((sum, { weight }) => sum + weight, 0);
      for (const { value, weight } of choices) {
        left -= weight;
        if (left < 0) return value;
      }
      const last = choices.at(-1);
      if (last === undefined) throw new RangeError('there is nothing to pick');
      return last.value;
    },
  };
}
