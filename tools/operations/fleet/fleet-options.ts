import type { Command } from 'commander';
import { type TokenCall, targetOptions, tokenCall } from '../../cli/target/admin-call.ts';
import type { TargetOptions } from '../../cli/target/target.ts';

export interface FleetOptions extends TargetOptions {
  readonly station: string;
  readonly json: boolean;
}

export function fleetOptions(command: Command): Command {
  return targetOptions(command.option('--json', 'JSON, for machines', false), 'factory').option(
    '--station <name>',
    'your name in the audit trail; up to 40 letters, digits, . _ and -',
    'workshop',
  );
}

/** @param changes whether the command can change anything */
export function fleetCall(options: FleetOptions, signal: AbortSignal, changes = false): Promise<TokenCall> {
  return tokenCall(options, 'factory', signal, { changes, headers: { 'x-factory-station': options.station } });
}

/** Returns the query for a device given by serial or hardware id. */
export function deviceQuery(device: string): string {
  const name = /^\d{6}$/.test(device) ? 'serial' : 'hw_id';
  return new URLSearchParams({ [name]: device }).toString();
}
