import { GROUP } from './header.ts';

/** SMP-level results (facts sheet, A4). */
export const MGMT = {
  ok: 0,
  unknown: 1,
  noMemory: 2,
  invalid: 3,
  tooLarge: 7,
  notSupported: 8,
  corrupt: 9,
  busy: 10,
  versionTooNew: 13,
} as const;

/** Results of the OS group (facts sheet, A5). */
export const OS_ERROR = { invalidFormat: 2, queryHasNoAnswer: 3, clockNotSet: 4 } as const;

/** Results of the image group (facts sheet, A6). */
export const IMAGE_ERROR = {
  unknown: 1,
  hashNotFound: 8,
  noFreeSlot: 9,
  flashWriteFailed: 12,
  invalidSlot: 14,
  invalidOffset: 20,
  invalidLength: 21,
  invalidHeader: 22,
  invalidHeaderMagic: 23,
  invalidHash: 24,
  currentVersionIsNewer: 27,
  alreadyPending: 28,
  imageTooLarge: 30,
  dataOverrun: 31,
  settingTestToActiveDenied: 33,
} as const;

/** Results of the statistics group (Zephyr `stat_mgmt.h`). */
export const STATISTICS_ERROR = { invalidGroup: 2 } as const;

/** Results of the settings group (Zephyr `settings_mgmt.h`). */
export const SETTINGS_ERROR = { keyTooLong: 2, keyNotFound: 3, rootKeyNotFound: 5 } as const;

/** Results of the shell group (Zephyr `shell_mgmt.h`). */
export const SHELL_ERROR = { commandTooLong: 2, emptyCommand: 3 } as const;

/**
 * Translates a group's errors for clients of the original protocol, which only has SMP-level ones; all others are 1.
 */
const V1_TRANSLATION: ReadonlyMap<number, ReadonlyMap<number, number>> = new Map([
  [
    GROUP.os,
    new Map([
      [2, 3],
      [3, 5],
      [4, 5],
      [6, 5],
    ]),
  ],
  [
    GROUP.image,
    new Map([
      [3, 5],
      [4, 5],
      [9, 6],
      [14, 3],
      [15, 2],
      [19, 3],
      [20, 3],
      [21, 3],
      [22, 3],
      [24, 3],
      [25, 3],
      [27, 6],
      [28, 6],
    ]),
  ],
  [GROUP.statistics, new Map([[2, 5]])],
  [
    GROUP.settings,
    new Map([
      [2, 3],
      [3, 5],
    ]),
  ],
  [
    GROUP.shell,
    new Map([
      [2, 3],
      [3, 3],
    ]),
  ],
]);

const NAMES: ReadonlyMap<number, readonly [group: string, errors: Readonly<Record<string, number>>]> = new Map([
  [GROUP.os, ['OS', OS_ERROR]],
  [GROUP.image, ['image', IMAGE_ERROR]],
  [GROUP.statistics, ['statistics', STATISTICS_ERROR]],
  [GROUP.settings, ['settings', SETTINGS_ERROR]],
  [GROUP.shell, ['shell', SHELL_ERROR]],
]);

export function v1ErrorOf(group: number, rc: number): number {
  return V1_TRANSLATION.get(group)?.get(rc) ?? MGMT.unknown;
}

/** Describes a device's error for a client. */
export function describeSmpError(group: number | undefined, rc: number): string {
  if (group === undefined) return `SMP error ${rc} (${nameIn(MGMT, rc)})`;
  const [name, errors] = NAMES.get(group) ?? [`group ${group}`, {}];
  return `${name} error ${rc} (${nameIn(errors, rc)})`;
}

function nameIn(table: Readonly<Record<string, number>>, rc: number): string {
  return Object.entries(table).find(([, value]) => value === rc)?.[0] ?? 'unlisted';
}
