import { randomBytes } from 'node:crypto';

const PRINTABLE = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i)).filter(
  (char) => !'"\\'.includes(char),
);

/** Random printable text: 500,000 characters of it are too large for an item even when compressed. */
export function incompressible(characters: number): string {
  return [...randomBytes(characters)].map((byte) => PRINTABLE[byte % PRINTABLE.length]).join('');
}
