import { MGMT, SHELL_ERROR } from './errors.ts';
import { GROUP } from './header.ts';
import type { Command, SmpGroup } from './server.ts';

/** Runs one command line; returns its output and exit code. */
export type Shell = (words: readonly string[]) => { readonly output: string; readonly result: number };

/** `CONFIG_SHELL_CMD_BUFF_SIZE`. */
const LONGEST_LINE = 256;
const ENOEXEC = -8;

/** The shell group: 0 runs a command (Zephyr `shell_mgmt.c`). */
export function shellGroup(shell: Shell = echoShell): SmpGroup {
  const execute: Command = {
    decodes: true,
    run(fields) {
      const words = fields.get('argv');
      if (!Array.isArray(words)) return { rc: MGMT.invalid };
      // A word that is not text ends the line, as it ends Zephyr's loop.
      const end = words.findIndex((word) => typeof word !== 'string');
      const line = words.slice(0, end === -1 ? words.length : end).map(String);
      if (line.length === 0) return { error: SHELL_ERROR.emptyCommand };
      if (line.join(' ').length >= LONGEST_LINE) return { error: SHELL_ERROR.commandTooLong };
      const { output, result } = shell(line);
      return { fields: { o: output, ret: result } };
    },
  };
  return { id: GROUP.shell, read: {}, write: { 0: execute } };
}

/** A shell that only knows `echo`. */
const echoShell: Shell = ([command = '', ...words]) =>
  command === 'echo'
    ? { output: `${words.join(' ')}\n`, result: 0 }
    : { output: `${command}: command not found\n`, result: ENOEXEC };
