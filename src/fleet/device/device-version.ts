import { parseDeviceVersion, type ReleaseVersion } from '@autowatering/release-format';
import * as z from 'zod';

/** Far longer than any version; only keeps requests from carrying whole documents. */
const LONGEST_TEXT = 1_024;

export interface DeviceVersion {
  /** As the device sent it. */
  readonly text: string;
  /** Undefined when it could not be parsed; the version then counts as unknown. */
  readonly version: ReleaseVersion | undefined;
}

/** The version a device reports, as the phone passes it on. Never refused for its form, see `parseDeviceVersion`. */
export const DeviceVersionField = z
  .string()
  .max(LONGEST_TEXT)
  .transform((text): DeviceVersion => ({ text, version: parseDeviceVersion(text) }))
  .meta({
    description:
      'As the device reports it: 1, 1.0, v1.2.3, 1.0.0+7 or 1.0.0.1. Missing parts are 0, a fourth is build ' +
      'metadata. Anything else counts as unknown and is listed in `not_understood`.',
    examples: ['1.0'],
  });

/** For an answer: the names of the fields whose version could not be parsed. Empty if there are none. */
export function notUnderstood<Field extends string>(
  given: Readonly<Record<Field, DeviceVersion | undefined>>,
): { readonly not_understood?: Field[] } {
  const fields: Field[] = [];
  for (const field in given) {
    const said = given[field];
    if (said !== undefined && said.version === undefined) fields.push(field);
  }
  return fields.length === 0 ? {} : { not_understood: fields };
}
