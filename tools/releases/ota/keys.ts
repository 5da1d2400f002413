import { runCommand } from '../../cli/run-command.ts';
import { keysCommand } from './keys-command.ts';

await runCommand((signal) => keysCommand('npm run ota:keys --', signal));
