import path from 'node:path';
import { Command } from 'commander';
import { runBenchmark } from './bench/benchmark.ts';
import { benchmarkTable } from './bench/table.ts';
import { runCommand } from './cli/run-command.ts';

await runCommand((signal) =>
  new Command('npm run bench --')
    .description(
      'Measures every route in-process and over HTTP, beside a no-op route and a bare GetItem, and the cold start.',
    )
    .option('--json', 'the numbers as JSON, for machines', false)
    .addHelpText('after', '\nExamples:\n  npm run bench\n  npm run bench -- --json > bench.json\n')
    .action(async ({ json }: { json: boolean }) => {
      const result = await runBenchmark(path.resolve('.local/bench'), signal, (step) => {
        if (!json) console.error(`… ${step}`);
      });
      console.log(json ? JSON.stringify(result, null, 2) : benchmarkTable(result));
    }),
);
