import { ATT, AttError } from './att-error.ts';

/** @throws AttError 0x0D for another length */
export function parsed<T>(structure: { read(bytes: Uint8Array): T | undefined }, bytes: Uint8Array): T {
  const values = structure.read(bytes);
  if (values === undefined) throw new AttError(ATT.invalid_length, `${bytes.byteLength} bytes are another structure`);
  return values;
}

/** @throws AttError 0x13 */
export function allowed(isAllowed: boolean, what: string): void {
  if (!isAllowed) throw new AttError(ATT.not_allowed, `${what} is not allowed`);
}

/** @throws AttError 0x03 */
export function permitted(isPermitted: boolean, why: string): void {
  if (!isPermitted) throw new AttError(ATT.write_not_permitted, why);
}
