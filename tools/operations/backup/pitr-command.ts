import { Command, InvalidArgumentError, Option } from 'commander';
import { PlainError } from '../../cli/plain-error.ts';
import { findTables, TABLES, type TableName, type TablePlaceOptions } from '../../cli/target/place.ts';
import { tableOptions } from '../../cli/target/place-options.ts';
import { progressDisplay } from '../../cli/terminal/progress-display.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { removeTable } from '../drill/remove-table.ts';
import { type Comparison, type PutBack, putBack } from './put-back.ts';
import { recoveredName, recoverTable } from './recovered-table.ts';

interface Options extends TablePlaceOptions {
  readonly table: TableName;
  readonly to: Date;
  readonly copy: PutBack;
  readonly only: readonly string[];
  readonly remove: boolean;
  readonly json: boolean;
}

/** `backup pitr`: compares a table with its state at a point in the last 35 days, and restores items. */
export function pitrCommand(signal: AbortSignal): Command {
  return tableOptions(new Command('pitr'))
    .description(
      'Recovers a table as of a point in time into a separate copy, compares the copy with the current table, and ' +
        'puts back the items you ask for. Items added since then are kept. Run it again to resume.',
    )
    .addOption(new Option('--table <name>', 'the table').choices([...TABLES]).makeOptionMandatory())
    .requiredOption('--to <time>', 'the time before the loss, e.g. 2026-11-24T02:55:00Z', pastMoment)
    .addOption(
      new Option('--copy <what>', 'what to put back: missing items, or all that are missing or changed since')
        .choices(['nothing', 'missing', 'all'])
        .default('nothing'),
    )
    .option('--only <keys...>', 'only items with these partition keys: a uid, a hw_id', [])
    .option('--remove', 'remove the recovered copy when you are done', false)
    .option('--json', 'JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run backup -- pitr --env prod --table users --to 2026-11-24T02:55:00Z\n' +
        '  npm run backup -- pitr --env prod --table users --to 2026-11-24T02:55:00Z --copy missing\n' +
        '  npm run backup -- pitr --env prod --table users --to 2026-11-24T02:55:00Z --remove\n',
    )
    .action((options: Options) => pitr(options, signal));
}

function pastMoment(text: string): Date {
  const moment = new Date(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(moment.getTime())) {
    throw new InvalidArgumentError('Expected a time with its zone, like 2026-11-24T02:55:00Z.');
  }
  if (moment.getTime() > Date.now()) throw new InvalidArgumentError('Expected a time in the past.');
  return moment;
}

async function pitr(options: Options, signal: AbortSignal): Promise<void> {
  const { env, table, to, copy, only, remove, json } = options;
  if (env === undefined) throw new PlainError('--env is required: only tables in AWS have point-in-time recovery.');
  if (table === 'relay' && copy === 'all') {
    throw new PlainError('In the relay, only missing items can be put back: what was published since would be lost.');
  }
  const place = await findTables(options, { changes: remove || copy !== 'nothing' });
  const name = recoveredName(place, table, to);
  const display = progressDisplay(json ? 'silent' : 'people');
  if (remove) {
    await display.during(`Removing ${name}`, () => removeTable(place.dynamo, name, signal));
    if (json) console.log(JSON.stringify({ removed: name }));
    return;
  }
  await display.during(`Recovering ${place.tableName(table)} as of ${to.toISOString()}`, () =>
    recoverTable(place, table, to, signal),
  );
  const found = await display.during(
    `Comparing with the current table${copy === 'nothing' ? '' : ' and putting items back'}`,
    () => putBack(place, table, name, copy, new Set(only), signal),
  );
  if (json) console.log(JSON.stringify({ recovered: name, ...found }));
  else show(found, options, name);
}

function show(found: Comparison, { copy, table, only }: Options, name: string): void {
  console.log(
    textTable(
      [`Items of ${name}`, 'count'],
      [
        ['unchanged', String(found.same)],
        ['changed since', String(found.changed)],
        ['missing now', String(found.missing)],
        ['put back', String(found.putBack)],
      ],
    ),
  );
  if (copy === 'nothing' && found.missing + found.changed > 0) {
    console.log('Nothing was put back. "--copy missing" restores missing items; "--copy all" also reverts changes.');
  }
  if (table === 'users' && found.missing > 0 && only.length === 0) {
    console.log('Some missing items may belong to accounts that their owners have deleted: see RUNBOOK.md, "Restore".');
  }
  console.log('When you are done, remove the copy with "--remove": it holds the same personal data.');
}
