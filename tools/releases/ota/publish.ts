import { runCommand } from '../../cli/run-command.ts';
import { publishCommand } from './publish/publish-command.ts';

await runCommand((signal) => publishCommand('npm run ota:publish --', signal));
