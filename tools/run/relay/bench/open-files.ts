import * as z from 'zod';
import { PlainError } from '../../../cli/plain-error.ts';

/** For everything but the connections: engines, stand-ins, logs. */
const OTHERS = 300;

const Limits = z.object({ userLimits: z.object({ open_files: z.object({ soft: z.unknown() }) }) });

/**
 * Checks that this process may open so many sockets; Node has raised its limit to the highest allowed by now.
 *
 * @throws PlainError if it may not
 */
export function requireOpenFiles(connections: number): void {
  if (process.report === undefined) return;
  const limits = Limits.safeParse(process.report.getReport());
  const allowed = limits.success ? Number(limits.data.userLimits.open_files.soft) : Number.NaN;
  if (Number.isNaN(allowed) || allowed >= connections + OTHERS) return;
  throw new PlainError(
    `${connections} connections need ${connections + OTHERS} open files, and this shell allows ${allowed}. ` +
      `Raise the limit ("ulimit -n ${connections + OTHERS}", maybe as root), or pass --connections ${Math.max(2, allowed - OTHERS)}.`,
  );
}
