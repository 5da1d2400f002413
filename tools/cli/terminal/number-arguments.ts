import { InvalidArgumentError } from 'commander';

/** Parses a number from 0 to 100. */
export function percentage(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100))
    throw new InvalidArgumentError('Expected a number from 0 to 100.');
  return value;
}

/** Parses a whole number from 1. */
export const wholeNumber = wholeNumberUpTo(9_999_999);

/** Returns a parser for whole numbers from 1 to `largest`. */
export function wholeNumberUpTo(largest: number): (text: string) => number {
  return (text) => {
    const value = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > largest) throw new InvalidArgumentError(`Expected a whole number from 1 to ${largest}.`);
    return value;
  };
}
