import { parseDeviceVersion, type ReleaseVersion } from '@autowatering/release-format';

export interface DeviceVersion {
  /** As the device sent it. */
  readonly text: string;
  /** Undefined when it could not be parsed; the version then counts as unknown. */
  readonly version: ReleaseVersion | undefined;
}

/** Far longer than any version; only keeps requests from carrying whole documents. */
export const LONGEST_VERSION_TEXT = 1_024;

/** The version a device reports, as the phone passes it on. Never refused for its form, see `parseDeviceVersion`. */
export function readDeviceVersion(text: string): DeviceVersion {
  return { text, version: parseDeviceVersion(text) };
}

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
