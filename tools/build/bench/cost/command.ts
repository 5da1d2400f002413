import { readFile, writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { runCommand } from '../../../cli/run-command.ts';
import { GARDENER } from './behaviour.ts';
import { costPage } from './cost-page.ts';
import { benchFigures, FIGURES_FILE, figuresOf } from './figures.ts';
import { priceList } from './price-list.ts';

const PAGE = 'docs/costs.md';

interface Options {
  readonly routes?: string;
}

await runCommand(() =>
  new Command('npm run bench:cost --')
    .description(`Writes ${PAGE}: the monthly cost, from the benchmark's figures and AWS's list prices.`)
    .option('--routes <file>', 'new figures: the output of npm run bench -- --routes --json')
    .addHelpText(
      'after',
      '\nExamples:\n  npm run bench:cost\n  npm run --silent bench -- --routes --json > routes.json && npm run bench:cost -- --routes routes.json\n',
    )
    .action(async ({ routes }: Options) => {
      if (routes !== undefined) {
        const date = new Date().toISOString().slice(0, 10);
        const figures = figuresOf(await readFile(routes, 'utf8'), date, benchFigures());
        await writeFile(FIGURES_FILE, `${JSON.stringify(figures, null, 2)}\n`);
      }
      await writeFile(PAGE, costPage(GARDENER, benchFigures(), priceList()));
      console.log(`Wrote ${PAGE}.`);
    }),
);
