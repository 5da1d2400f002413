import path from 'node:path';
import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { runBenchmark } from './benchmark.ts';
import { benchmarkTable } from './table.ts';

interface Options {
  readonly json: boolean;
  readonly only: string;
  readonly devices: number;
  readonly releases: number;
}

await runCommand((signal) =>
  new Command('npm run bench --')
    .description(
      'Measures every route in-process and over HTTP, beside a no-op route and a bare GetItem, and the cold start.',
    )
    .option('--devices <count>', 'devices in the table for the second look', Number, 20_000)
    .option('--releases <count>', 'releases of one track for it', Number, 1_000)
    .option('--only <text>', 'only routes whose name holds this', '')
    .option('--json', 'the numbers as JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run bench\n  npm run bench -- --only /ota --devices 1000000\n  npm run bench -- --json > bench.json\n',
    )
    .action(async ({ json, only, devices, releases }: Options) => {
      const options = { scale: { devices, releases }, only };
      const result = await runBenchmark(path.resolve('.local/bench'), options, signal, (step) => {
        if (!json) console.error(`… ${step}`);
      });
      console.log(json ? JSON.stringify(result, null, 2) : benchmarkTable(result));
    }),
);
