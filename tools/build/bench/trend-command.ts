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
      'Adds a benchmark’s result to those of the nights before and shows how each route fares beside them, as Markdown. ' +
        'Rates are ratios to those of the no-op route, and of handlers that do nothing or one GetItem, of the same run.',
    )
    .requiredOption('--result <file>', 'what npm run bench -- --json printed')
    .option('--routes <file>', 'what npm run bench -- --routes --json printed')
    .option('--trend <file>', 'the nights before, a line each; made when it is not there', 'bench-trend.jsonl')
    .option('--commit <hash>', 'what was measured', '')
    .option('--annotate', 'GitHub warnings on stderr for what got worse by more than a tenth', false)
    .option('--json', 'JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExample:\n  npm run --silent bench -- --json > bench.json && npm run bench:trend -- --result bench.json\n',
    )
    .action(addNight),
);

async function addNight({ result, routes: handlers, trend: file, commit, annotate, json }: Options): Promise<void> {
  const { baselines, routes } = Result.parse(JSON.parse(await readFile(result, 'utf8')));
  const [noop] = baselines;
  if (noop === undefined) throw new PlainError(`${result} holds no baseline.`);
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
