import { rm } from 'node:fs/promises';
import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { buildLambdaBundle } from './lambda-bundle.ts';

const DIRECTORY = 'dist';

await runCommand(() =>
  new Command('npm run build --')
    .description('Bundles the Lambda function into dist/ with the build options of template.yaml, like "sam build".')
    .addHelpText('after', '\nExample:\n  npm run build\n')
    .action(async () => {
      await rm(DIRECTORY, { recursive: true, force: true });
      const { metafile } = await buildLambdaBundle(DIRECTORY);
      for (const [file, { bytes }] of Object.entries(metafile.outputs)) {
        console.log(`${(bytes / 1024).toFixed(1).padStart(8)} KiB  ${file}`);
      }
    }),
);
