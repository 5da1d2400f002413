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

/** `backup pitr`: what was in a table at a moment of the last 35 days, beside what is in it now. */
export function pitrCommand(signal: AbortSignal): Command {
  return tableOptions(new Command('pitr'))
    .description(
      'Recovers a table as it was at a moment (point-in-time recovery) into a table of its own, compares it with the ' +
        'table as it is, and puts back what you ask for. What came since that moment stays. Run again, it goes on.',
    )
    .addOption(new Option('--table <name>', 'the table').choices([...TABLES]).makeOptionMandatory())
    .requiredOption('--to <time>', 'the moment before the loss, as 2026-11-24T02:55:00Z', pastMoment)
    .addOption(
      new Option('--copy <what>', 'what is put back: items that are gone, or also those that were changed since')
        .choices(['nothing', 'missing', 'all'])
        .default('nothing'),
    )
    .option('--only <keys...>', 'only items with these partition keys: a uid, a hw_id', [])
    .option('--remove', 'removes the recovered copy: when all is put back', false)
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
    throw new InvalidArgumentError('a moment with its zone, as 2026-11-24T02:55:00Z');
  }
  if (moment.getTime() > Date.now()) throw new InvalidArgumentError('a moment that has passed');
  return moment;
}

async function pitr(options: Options, signal: AbortSignal): Promise<void> {
  const { env, table, to, copy, only, remove, json } = options;
  if (env === undefined) throw new PlainError('--env is needed: only tables in AWS have point-in-time recovery.');
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
    `Comparing it with what is there${copy === 'nothing' ? '' : ', and putting back'}`,
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
        ['as they were', String(found.same)],
        ['changed since', String(found.changed)],
        ['gone since', String(found.missing)],
        ['put back', String(found.putBack)],
      ],
    ),
  );
  if (copy === 'nothing' && found.missing + found.changed > 0) {
    console.log('Nothing was put back. "--copy missing" brings back what is gone; "--copy all" also undoes changes.');
  }
  if (table === 'users' && found.missing > 0 && only.length === 0) {
    console.log('Among what is gone may be accounts that their owners have deleted: RUNBOOK.md, "Restore".');
  }
  console.log('When you are done, "--remove" removes the copy: it holds the same personal data.');
}
