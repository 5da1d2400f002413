import path from 'node:path';
import { Command } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { settleAws } from '../../cli/target/aws-place.ts';
import { isAtTerminal, namedSystem, type SystemOptions } from '../../cli/target/named-system.ts';
import { sayWhere } from '../../cli/target/say-where.ts';
import { systemOptions } from '../../cli/target/system-options.ts';
import { wholeNumberUpTo } from '../../cli/terminal/number-arguments.ts';
import { progressDisplay } from '../../cli/terminal/progress-display.ts';
import { parseSince } from '../../cli/terminal/since.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { DEFAULT_DIRECTORY } from '../../run/local-stack/stack-file.ts';
import { askInsights } from './insights.ts';
import { linesOfFile } from './log-file.ts';
import { columnsOf, LOG_REPORTS, type LogReport, type Question, type ReportName } from './log-reports.ts';

interface Options extends SystemOptions {
  readonly region?: string;
  readonly profile?: string;
  readonly since: string;
  readonly route?: string;
  readonly request?: string;
  readonly limit: number;
  readonly print: boolean;
  readonly json: boolean;
}

await runCommand((signal) => {
  const program = new Command('npm run logs --').description(
    'Queries the backend’s logs: CloudWatch Logs Insights for an environment in AWS, the log file for a local stack.',
  );
  for (const name of ['errors', 'latency', 'requests'] as const) add(program, name, signal);
  return program;
});

function add(program: Command, name: ReportName, signal: AbortSignal): void {
  const command = systemOptions(program.command(name))
    .description(LOG_REPORTS[name].summary)
    .option(
      '--since <when>',
      'a span like 90m, 2h or 3d, or a date',
      (text: string) => parseSince(text),
      parseSince('1h'),
    )
    .option('--route <route>', 'only this route, e.g. "POST /claimDevice"')
    .option('--limit <count>', 'maximum number of rows', wholeNumberUpTo(10_000), 50)
    .option('--print', 'print the Logs Insights query instead of running it', false)
    .option('--json', 'JSON, for machines', false)
    .addHelpText('after', `\nExample:\n  npm run logs -- ${name} --since 1h --env prod\n`)
    .action((options: Options) => report(name, options, signal));
  if (name === 'requests')
    command.option('--request <id>', 'all lines of one request, by the X-Request-Id of its response');
}

async function report(name: ReportName, options: Options, signal: AbortSignal): Promise<void> {
  const asked: LogReport = LOG_REPORTS[name];
  const question: Question = {
    limit: options.limit,
    ...(options.route !== undefined && { route: options.route }),
    ...(options.request !== undefined && { requestId: options.request }),
  };
  if (options.print) {
    console.log(asked.insightsQuery(question));
    return;
  }
  const rows = await rowsFrom(asked, question, options, signal);
  const columns = columnsOf(asked, question);
  if (options.json) console.log(JSON.stringify({ since: options.since, rows }));
  else if (rows.length === 0) console.log(`Nothing since ${options.since}.`);
  else
    console.log(
      textTable(
        columns,
        rows.map((row) => columns.map((column) => row[column] ?? '')),
      ),
    );
}

async function rowsFrom(asked: LogReport, question: Question, options: Options, signal: AbortSignal) {
  const { since, json } = options;
  const system = namedSystem(options, { apiBaseUrl: undefined, atTerminal: isAtTerminal() });
  if (system.kind !== 'environment') {
    const file = path.join(options.stack ?? DEFAULT_DIRECTORY, 'logs', 'api.log');
    await sayWhere(undefined, `the local stack by its log ${file}`, { changes: false });
    return asked.rowsOf(await linesOfFile(file, since), question);
  }
  const { environment } = system;
  const { region, text } = await settleAws(options);
  await sayWhere(environment, `by its log in AWS (${text})`, { changes: false });
  const query = asked.insightsQuery(question);
  return progressDisplay(json ? 'silent' : 'people').during(`Querying the logs of ${environment}`, () =>
    askInsights({ environment, region, query, from: Date.parse(since), to: Date.now() }, signal),
  );
}
