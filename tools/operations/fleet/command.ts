import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { listCommands } from './list-commands.ts';
import { serviceCommands } from './service-commands.ts';

await runCommand((signal) => {
  const program = new Command('npm run fleet --').description(
    'Lists the devices of the fleet, and activates, revokes or replaces them.',
  );
  for (const command of [...listCommands(signal), ...serviceCommands(signal)]) program.addCommand(command);
  return program;
});
