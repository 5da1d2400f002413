import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { archiveCommand } from './archive-command.ts';
import { rereadCommand } from './reread-command.ts';
import { showCommand } from './show-command.ts';

await runCommand((signal) =>
  new Command('npm run telemetry --')
    .description('What devices told, for operators: what is stored, reading it again, and the archive.')
    .addCommand(rereadCommand(signal))
    .addCommand(showCommand())
    .addCommand(archiveCommand()),
);
