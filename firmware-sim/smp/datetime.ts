import { MGMT, OS_ERROR } from './errors.ts';
import { textField } from './fields.ts';
import type { Command } from './server.ts';

/** The device's clock. It stands still until it is set, because it has no backup power. */
export interface DeviceClock {
  /** Milliseconds since 1970; undefined until it is set. */
  now(): number | undefined;
  set(ms: number): void;
}

/** `CONFIG_MCUMGR_GRP_OS_DATETIME`: reading and setting the clock, command 4 (facts sheet, B and B5). */
export function datetimeCommands(clock: DeviceClock): { readonly read: Command; readonly write: Command } {
  return {
    read: {
      decodes: false,
      run() {
        const now = clock.now();
        if (now === undefined) return { error: OS_ERROR.clockNotSet };
        return { fields: { datetime: new Date(now).toISOString().slice(0, -'.000Z'.length) } };
      },
    },
    write: {
      decodes: true,
      run(fields) {
        const text = textField(fields, 'datetime');
        const time = text.ok && text.value !== undefined ? parseDatetime(text.value) : undefined;
        if (time === undefined) return { rc: MGMT.invalid };
        clock.set(time);
        return { fields: {} };
      },
    },
  };
}

const [SHORTEST, LONGEST] = [19, 25] as const;
const [FIRST_YEAR, LAST_YEAR] = [1900, 11_899] as const;

/** Any single character may separate the numbers. Anything after the seconds is ignored. */
function parseDatetime(text: string): number | undefined {
  if (text.length < SHORTEST || text.length > LONGEST) return undefined;
  const match = /^(\d{4,5}).(\d{2}).(\d{2}).(\d{2}).(\d{2}).(\d{2})/s.exec(text);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = (match ?? []).slice(1).map(Number);
  const isInRange =
    match !== null &&
    within(year, FIRST_YEAR, LAST_YEAR) &&
    within(month, 1, 12) &&
    within(day, 1, 31) &&
    within(hour, 0, 23) &&
    within(minute, 0, 59) &&
    within(second, 0, 59);
  return isInRange ? Date.UTC(year, month - 1, day, hour, minute, second) : undefined;
}

function within(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}
