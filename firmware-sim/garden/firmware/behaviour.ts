export const FIRMWARE_BEHAVIOURS = ['as-is', 'fixed'] as const;

/**
 * `as-is`: with the faults of the firmware that is out there (device sheet, §0). `fixed`: as its documents say it should
 * be: an end leaves a row, alarms are kept, stamps are epochs, the clock can be set after its chip failed, counters don't wrap.
 */
export type FirmwareBehaviour = (typeof FIRMWARE_BEHAVIOURS)[number];
