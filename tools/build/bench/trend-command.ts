import { appendFile, readFile } from 'node:fs/promises';
import { Command } from 'commander';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { nightOf, trend, trendTable } from './trend.ts';

const Route = z.looseObject({ route: z.string(), inProcess: z.looseObject({ perSecond: z.number().positive() }) });
const Result = z.looseObject({ baselines: z.array(Route).min(1), routes: z.array(Route) });
const Night = z.object({ commit: z.string(), at: z.string(), shares: z.record(z.string(), z.number()) });

interface Options {
  readonly result: string;
  readonly trend: string;
  readonly commit: string;
  readonly json: boolean;
}

await runCommand(() =>
  new Command('npm run bench:trend --')
    .description(
      'Adds a benchmark’s result to those of the nights before and shows how each route fares beside them, as Markdown. ' +
        'Rates are shares of the no-op route’s of the same run.',
    )
    .requiredOption('--result <file>', 'what npm run bench -- --json printed')
    .option('--trend <file>', 'the nights before, a line each; made when it is not there', 'bench-trend.jsonl')
    .option('--commit <hash>', 'what was measured', '')
    .option('--json', 'JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExample:\n  npm run --silent bench -- --json > bench.json && npm run bench:trend -- --result bench.json\n',
    )
    .action(addNight),
);

async function addNight({ result, trend: file, commit, json }: Options): Promise<void> {
  const { baselines, routes } = Result.parse(JSON.parse(await readFile(result, 'utf8')));
  const [noop] = baselines;
  if (noop === undefined) throw new PlainError(`${result} holds no baseline.`);
  const before = await nightsIn(file);
  const tonight = nightOf(routes, noop.inProcess.perSecond, commit, new Date().toISOString());
  await appendFile(file, `${JSON.stringify(tonight)}\n`);
  const rows = trend(tonight, before);
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
