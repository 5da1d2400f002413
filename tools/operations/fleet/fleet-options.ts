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
    'who does it, for the audit; up to 40 letters, digits, . _ and -',
    'workshop',
  );
}

/** @param changes whether what follows may change anything */
export function fleetCall(options: FleetOptions, signal: AbortSignal, changes = false): Promise<TokenCall> {
  return tokenCall(options, 'factory', signal, { changes, headers: { 'x-factory-station': options.station } });
}

/** A device as it is named on the command line: its serial or its hardware id. */
export function deviceQuery(device: string): string {
  const name = /^\d{6}$/.test(device) ? 'serial' : 'hw_id';
  return new URLSearchParams({ [name]: device }).toString();
}
