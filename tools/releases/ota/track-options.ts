import type { Command } from 'commander';
import { targetOptions } from '../../cli/target/admin-call.ts';
import type { TargetOptions } from '../../cli/target/target.ts';

export interface TrackOptions extends TargetOptions {
  readonly channel: string;
  readonly board: string;
  readonly json: boolean;
}

/** Adds the options of commands for one channel of one board. */
export function trackOptions(command: Command): Command {
  return targetOptions(
    command
      .option('--channel <name>', 'the channel', 'stable')
      .option('--board <name>', 'the board', 'arduino_nano_33_ble')
      .option('--json', 'JSON, for machines', false),
    'admin',
  );
}

export function trackQuery({ channel, board }: Pick<TrackOptions, 'channel' | 'board'>): string {
  return new URLSearchParams({ channel, board }).toString();
}
