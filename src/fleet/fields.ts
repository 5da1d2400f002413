import * as z from 'zod';
import { HW_ID_IN_ANY_CASE, type HwId, isHwId, isSerial } from '../platform/ids.ts';
import { DEVICE_STATUSES, FLEET_STATES } from './device/device.ts';
import { LONGEST_VERSION_TEXT, readDeviceVersion } from './device/device-version.ts';

export const SerialField = z
  .string()
  .refine(isSerial, 'six digits')
  .meta({ pattern: '^\\d{6}$', description: 'Six digits, as printed on the device' });

/** Hardware ids are accepted in any case and stored upper-case. */
export const HwIdField = z
  .string()
  .max(64)
  .regex(HW_ID_IN_ANY_CASE, '8 to 64 of 0-9, A-F, colon, dash and underscore')
  .transform((text, context): HwId => {
    const upper = text.toUpperCase();
    if (isHwId(upper)) return upper;
    context.addIssue({ code: 'custom', message: 'not a hardware id' });
    return z.NEVER;
  });

export const DeviceVersionField = z
  .string()
  .max(LONGEST_VERSION_TEXT)
  .transform(readDeviceVersion)
  .meta({
    description:
      'As the device reports it: 1, 1.0, v1.2.3, 1.0.0+7 or 1.0.0.1. Missing parts are 0, a fourth is build ' +
      'metadata. Anything else counts as unknown and is listed in `not_understood`.',
    examples: ['1.0'],
  });

export const DeviceStatusField = z.enum(DEVICE_STATUSES);
export const FleetStateField = z.enum(FLEET_STATES);

export const MetadataValue = z.union([z.string(), z.number(), z.boolean()]);
