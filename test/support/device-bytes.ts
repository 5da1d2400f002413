import type { Fields, Structure } from '@autowatering/device-data';

/** What a device would send: the values that are given, and 0 in every other field. */
export function deviceBytes<S extends Fields>(
  structure: Structure<S>,
  values: Partial<Parameters<Structure<S>['write']>[0]>,
): Uint8Array {
  const zeros = structure.read(new Uint8Array(structure.bytes));
  if (zeros === undefined) throw new Error(`zeros are no ${structure.name}`);
  return structure.write({ ...zeros, ...values });
}
