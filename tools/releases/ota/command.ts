import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { keysCommand } from './keys-command.ts';
import { publishCommand } from './publish/publish-command.ts';
import { stepCommands } from './step-commands.ts';
import { viewCommands } from './view-commands.ts';

await runCommand((signal) => {
  const program = new Command('npm run ota --').description(
    'Publishes firmware, and widens, stops and monitors its rollout.',
  );
  program.addCommand(publishCommand('publish', signal));
  for (const command of [...viewCommands(signal), ...stepCommands(signal)]) program.addCommand(command);
  program.addCommand(keysCommand('keys', signal));
  return program;
});
