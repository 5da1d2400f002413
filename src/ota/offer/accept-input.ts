import { parseReleaseVersion } from '@autowatering/release-format';
import { LONGEST_VERSION_TEXT, readDeviceVersion } from '../../fleet/index.ts';
import type { RawFields } from '../../http/deferred-schema.ts';
import { HW_ID_IN_ANY_CASE, isHwId, isSerial } from '../../platform/ids.ts';
import { DEFAULT_BOARD, DEFAULT_CHANNEL, TRACK_NAME } from '../registry/release.ts';
import type { DownloadParams, DownloadQuery, LatestQuery } from './offer-schemas.ts';

// Each function returns what the schema of the same name would return, or undefined for input that the schema has to
// judge. A test holds that for random input.

export function acceptLatestQuery(raw: RawFields): LatestQuery | undefined {
  const asked = acceptDownloadQuery(raw);
  const { current_version: current, bootloader_version: bootloader } = raw;
  if (asked === undefined || !isShort(current) || !isShort(bootloader)) return undefined;
  return {
    ...asked,
    ...(current === undefined ? {} : { current_version: readDeviceVersion(current) }),
    ...(bootloader === undefined ? {} : { bootloader_version: readDeviceVersion(bootloader) }),
  };
}

export function acceptDownloadQuery(raw: RawFields): DownloadQuery | undefined {
  const { board = DEFAULT_BOARD, channel = DEFAULT_CHANNEL, serial, hw_id: given } = raw;
  if (!TRACK_NAME.test(board) || !TRACK_NAME.test(channel)) return undefined;
  if (serial !== undefined && !isSerial(serial)) return undefined;
  if (given !== undefined && !HW_ID_IN_ANY_CASE.test(given)) return undefined;
  const hwId = given?.toUpperCase();
  if (hwId !== undefined && !isHwId(hwId)) return undefined;
  return {
    board: board.toLowerCase(),
    channel: channel.toLowerCase(),
    ...(serial === undefined ? {} : { serial }),
    ...(hwId === undefined ? {} : { hw_id: hwId }),
  };
}

export function acceptDownloadParams({ version: text }: RawFields): DownloadParams | undefined {
  const version = text === undefined ? undefined : parseReleaseVersion(text);
  return version === undefined ? undefined : { version };
}

function isShort(text: string | undefined): boolean {
  return text === undefined || text.length <= LONGEST_VERSION_TEXT;
}
