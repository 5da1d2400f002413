import { runCommand } from '../../cli/run-command.ts';
import { publishCommand } from './publish-command.ts';

await runCommand((signal) => publishCommand('npm run ota:publish --', signal));
