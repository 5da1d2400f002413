import { InvalidArgumentError } from 'commander';

/** An argument from 0 to 100. */
export function percentage(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0 && value <= 100)) throw new InvalidArgumentError('a number from 0 to 100');
  return value;
}

/** An argument from 1 on. */
export const wholeNumber = wholeNumberUpTo(9_999_999);

/** An argument from 1 to a largest one. */
export function wholeNumberUpTo(largest: number): (text: string) => number {
  return (text) => {
    const value = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 0;
    if (value < 1 || value > largest) throw new InvalidArgumentError(`a whole number from 1 to ${largest}`);
    return value;
  };
}
