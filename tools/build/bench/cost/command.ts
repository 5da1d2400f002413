import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { runCommand } from '../../../cli/run-command.ts';
import { GARDENER } from './behaviour.ts';
import { costPage } from './cost-page.ts';
import { benchFigures, FIGURES_FILE, figuresOf, withGarden, withJobs } from './figures.ts';
import { priceList } from './price-list.ts';

const PAGE = 'docs/costs.md';

interface Options {
  readonly routes?: string;
  readonly garden?: string;
  readonly jobs?: string;
}

await runCommand(() =>
  new Command('npm run bench:cost --')
    .description(`Writes ${PAGE}: the monthly cost, from the benchmark's figures and AWS's list prices.`)
    .option('--routes <file>', 'new figures: the output of npm run bench -- --routes --json')
    .option('--garden <file>', 'new figures: the output of npm run bench -- --garden 299 --json')
    .option('--jobs <file>', 'new figures: the output of npm run bench -- --jobs 64 --json')
    .addHelpText(
      'after',
      '\nExamples:\n  npm run bench:cost\n  npm run --silent bench -- --routes --json > routes.json && npm run bench:cost -- --routes routes.json\n',
    )
    .action(async ({ routes, garden, jobs }: Options) => {
      let figures = benchFigures();
      if (routes !== undefined) {
        figures = figuresOf(await readFile(routes, 'utf8'), new Date().toISOString().slice(0, 10), figures);
      }
      if (garden !== undefined) figures = withGarden(await readFile(garden, 'utf8'), figures);
      if (jobs !== undefined) figures = withJobs(await readFile(jobs, 'utf8'), figures);
      await writeFile(FIGURES_FILE, `${JSON.stringify(figures, null, 2)}\n`);
      await writeFile(PAGE, costPage(GARDENER, figures, priceList()));
      console.log(`Wrote ${PAGE}.`);
    }),
);
