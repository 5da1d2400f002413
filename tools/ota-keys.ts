import { runCommand } from './cli/run-command.ts';
import { keysCommand } from './ota/keys-command.ts';

await runCommand((signal) => keysCommand('npm run ota:keys --', signal));
