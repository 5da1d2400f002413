import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
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
  for (const command of [register, peers, tailCommand(signal), publishCommand(signal), streams, replay, revoke]) {
    if (command !== undefined) program.addCommand(command);
  }
  return program;
});
