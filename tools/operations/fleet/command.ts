import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { listCommands } from './list-commands.ts';
import { serviceCommands } from './service-commands.ts';

await runCommand((signal) => {
  const program = new Command('npm run fleet --').description(
    'Looks at the devices of the fleet, and takes the steps of their lives.',
  );
  for (const command of [...listCommands(signal), ...serviceCommands(signal)]) program.addCommand(command);
  return program;
});
