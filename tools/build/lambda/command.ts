import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { FUNCTION_NAMES } from '../template/granted-rights.ts';
import { buildLambdaBundle } from './lambda-bundle.ts';

const DIRECTORY = 'dist';

await runCommand(() =>
  new Command('npm run build --')
    .description('Bundles the Lambda functions into dist/ with the build options of template.yaml, like "sam build".')
    .addHelpText('after', '\nExample:\n  npm run build\n')
    .action(async () => {
      await rm(DIRECTORY, { recursive: true, force: true });
      for (const name of FUNCTION_NAMES) {
        const { metafile } = await buildLambdaBundle(path.join(DIRECTORY, name), {}, name);
        for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
          console.log(`${(bytes / 1024).toFixed(1).padStart(8)} KiB  ${file}`);
        }
      }
    }),
);
