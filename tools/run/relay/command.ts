import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { benchCommand } from './bench/bench-command.ts';
import { loadCommand } from './bench/load-process.ts';
import { peerCommands } from './peer-commands.ts';
import { publishCommand } from './publish.ts';
import { streamCommands } from './stream-commands.ts';
import { tailCommand } from './tail.ts';

await runCommand((signal) => {
  const program = new Command('npm run relay --').description(
    'A peer of the relay on the command line: registers, publishes, follows and replays events.',
  );
  const [streams, replay] = streamCommands(signal);
  const [register, peers, revoke] = peerCommands(signal);
  for (const command of [
    register,
    peers,
    tailCommand(signal),
    publishCommand(signal),
    streams,
    replay,
    revoke,
    benchCommand(signal),
  ]) {
    if (command !== undefined) program.addCommand(command);
  }
  program.addCommand(loadCommand(), { hidden: true });
  return program;
});
