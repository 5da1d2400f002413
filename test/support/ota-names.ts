import { parseReleaseVersion, type ReleaseVersion } from '@autowatering/release-format';
import { type HwId, isHwId } from '../../src/platform/ids.ts';

export function version(text: string): ReleaseVersion {
  const parsed = parseReleaseVersion(text);
  if (parsed === undefined) throw new Error(`${text} is no version`);
  return parsed;
}

/** A hardware id from a number or a string. */
export function hwId(of: number | string): HwId {
  const text = typeof of === 'number' ? of.toString(16).toUpperCase().padStart(12, '0') : of;
  if (!isHwId(text)) throw new Error(`${text} is no hardware id`);
  return text;
}
