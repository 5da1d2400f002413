import { decodeFields } from './cbor.ts';
import { type DeviceClock, datetimeCommands } from './datetime.ts';
import { MGMT, OS_ERROR } from './errors.ts';
import { textField } from './fields.ts';
import { GROUP } from './header.ts';
import type { Command, CommandResult, SmpGroup } from './server.ts';

const LONGEST_INFO = 256;

export interface OsGroupOptions {
  readonly bufferBytes: number;
  readonly bufferCount: number;
  /** MCUboot's upgrade mode, as its own number (facts sheet, B3). */
  readonly bootloaderMode: number;
  readonly preventsDowngrade: boolean;
  /** Requests a reset, which happens only after the answer has left. */
  readonly reset: () => void;
  /**
   * `CONFIG_MCUMGR_GRP_OS_RESET_HOOK`: may refuse a reset with an SMP-level result. Without it, every reset is allowed.
   */
  readonly resetHook?: (force: boolean) => number | undefined;
  /** Its threads. Without it, the firmware was built without task statistics. */
  readonly tasks?: () => Readonly<Record<string, TaskStatistics>>;
  /** Without it, the firmware was built without a clock. */
  readonly clock?: DeviceClock;
  /** The parts of the application info, by format character (facts sheet, B4). */
  readonly info: Readonly<Partial<Record<InfoCharacter, string>>>;
}

/** A thread, as Zephyr reports it (facts sheet, B1); stack sizes in words of 4 bytes. */
export interface TaskStatistics {
  readonly prio: number;
  readonly tid: number;
  readonly state: number;
  readonly stksiz: number;
  readonly stkuse: number;
}

const INFO_ORDER = ['s', 'n', 'r', 'v', 'b', 'm', 'p', 'i', 'o'] as const;
type InfoCharacter = (typeof INFO_ORDER)[number];

/** The OS group: echo, task statistics, clock, reset, parameters, application and bootloader info (facts sheet, B). */
export function osGroup(options: OsGroupOptions): SmpGroup {
  const echo: Command = {
    decodes: true,
    run(fields) {
      const text = textField(fields, 'd');
      return text.ok ? { fields: { r: text.value ?? '' } } : { rc: MGMT.invalid };
    },
  };
  const { resetHook } = options;
  const reset: Command = {
    decodes: false,
    run(_fields, payload) {
      // Only the hook reads `force`, a boolean; an undecodable payload counts as false (facts sheet, B2).
      const refused = resetHook?.(decodeFields(payload)?.get('force') === true);
      if (refused !== undefined) return { rc: refused };
      options.reset();
      return { fields: {} };
    },
  };
  const parameters: Command = {
    decodes: false,
    run: () => ({ fields: { buf_size: options.bufferBytes, buf_count: options.bufferCount } }),
  };
  const info: Command = { decodes: true, run: (fields) => osInfo(textField(fields, 'format'), options.info) };
  const bootloader: Command = {
    decodes: true,
    run(fields) {
      const query = textField(fields, 'query');
      if (!query.ok) return { rc: MGMT.invalid };
      if (query.value === undefined) return { fields: { bootloader: 'MCUboot' } };
      if (query.value !== 'mode') return { error: OS_ERROR.queryHasNoAnswer };
      return {
        fields: { mode: options.bootloaderMode, ...(options.preventsDowngrade ? { 'no-downgrade': true } : {}) },
      };
    },
  };
  const { tasks, clock } = options;
  const taskStatistics: Command | undefined = tasks && {
    decodes: false,
    run: () => ({
      fields: { tasks: Object.fromEntries(Object.entries(tasks()).map(([name, task]) => [name, { ...task }])) },
    }),
  };
  const datetime = clock && datetimeCommands(clock);
  return {
    id: GROUP.os,
    read: {
      0: echo,
      ...(taskStatistics === undefined ? {} : { 2: taskStatistics }),
      ...(datetime === undefined ? {} : { 4: datetime.read }),
      6: parameters,
      7: info,
      8: bootloader,
    },
    write: { 0: echo, ...(datetime === undefined ? {} : { 4: datetime.write }), 5: reset },
  };
}

function osInfo(format: ReturnType<typeof textField>, parts: OsGroupOptions['info']): CommandResult {
  if (!format.ok) return { rc: MGMT.invalid };
  const asked = new Set(format.value ?? 's');
  const all = asked.has('a');
  asked.delete('a');
  for (const character of asked) {
    if (!INFO_ORDER.some((known) => known === character && parts[known] !== undefined)) {
      return { error: OS_ERROR.invalidFormat };
    }
  }
  const output = INFO_ORDER.filter((character) => (all || asked.has(character)) && parts[character] !== undefined)
    .map((character) => parts[character])
    .join(' ');
  return output.length > LONGEST_INFO ? { rc: MGMT.tooLarge } : { fields: { output } };
}
