import { appendFile, readFile } from 'node:fs/promises';
import { Command } from 'commander';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { annotations, nightOf, trend, trendTable, withHandlers } from './trend.ts';

const Route = z.looseObject({ route: z.string(), inProcess: z.looseObject({ perSecond: z.number().positive() }) });
const Result = z.looseObject({ baselines: z.array(Route).min(1), routes: z.array(Route) });
const Handlers = z.object({
  routes: z.array(z.looseObject({ route: z.string(), ratios: z.record(z.string(), z.number()) })),
});
const Night = z.object({ commit: z.string(), at: z.string(), shares: z.record(z.string(), z.number()) });

interface Options {
  readonly result: string;
  readonly routes?: string;
  readonly annotate: boolean;
  readonly trend: string;
  readonly commit: string;
  readonly json: boolean;
}

await runCommand(() =>
  new Command('npm run bench:trend --')
    .description(
      'Adds a benchmark’s result to those of earlier nights and compares each route with them, as Markdown. ' +
        'Rates are ratios to the no-op route and to the baseline handlers (empty, Hono, one GetItem) of the same run.',
    )
    .requiredOption('--result <file>', 'output of npm run bench -- --json')
    .option('--routes <file>', 'output of npm run bench -- --routes --json')
    .option('--trend <file>', 'earlier nights, one per line; created if missing', 'bench-trend.jsonl')
    .option('--commit <hash>', 'the measured commit', '')
    .option('--annotate', 'prints GitHub warnings to stderr for routes that got worse by more than a tenth', false)
    .option('--json', 'prints JSON', false)
    .addHelpText(
      'after',
      '\nExample:\n  npm run --silent bench -- --json > bench.json && npm run bench:trend -- --result bench.json\n',
    )
    .action(addNight),
);

async function addNight({ result, routes: handlers, trend: file, commit, annotate, json }: Options): Promise<void> {
  const { baselines, routes } = Result.parse(JSON.parse(await readFile(result, 'utf8')));
  const [noop] = baselines;
  if (noop === undefined) throw new PlainError(`${result} contains no baseline.`);
  const before = await nightsIn(file);
  const inProcess = nightOf(routes, noop.inProcess.perSecond, commit, new Date().toISOString());
  const measured = handlers === undefined ? [] : Handlers.parse(JSON.parse(await readFile(handlers, 'utf8'))).routes;
  const tonight = withHandlers(inProcess, measured);
  await appendFile(file, `${JSON.stringify(tonight)}\n`);
  const rows = trend(tonight, before);
  if (annotate) for (const line of annotations(rows)) console.error(line);
  console.log(json ? JSON.stringify({ commit, routes: rows }) : trendTable(rows, tonight));
}

async function nightsIn(file: string) {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Night.parse(JSON.parse(line)));
}
