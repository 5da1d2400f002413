import { randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { findTables, type TablePlace, type TablePlaceOptions } from '../../cli/target/place.ts';
import { tableOptions } from '../../cli/target/place-options.ts';
import { progressDisplay } from '../../cli/terminal/progress-display.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { migrationLedger, type Progress } from './ledger.ts';
import type { Migration } from './migration.ts';
import { MIGRATIONS } from './migrations.ts';
import { type Direction, runMigration } from './run-migration.ts';

interface Options extends TablePlaceOptions {
  readonly to?: number;
  readonly json: boolean;
}

await runCommand((signal) => {
  const program = new Command('npm run migrate --').description(
    'Migrates stored data when its format changes: numbered steps that can be interrupted, resumed and reverted. ' +
      'Their progress is stored with the data.',
  );
  const add = (name: string, summary: string, example: string) =>
    tableOptions(program.command(name))
      .description(summary)
      .option('--json', 'JSON, for machines', false)
      .addHelpText('after', `\nExample:\n  ${example}\n`);
  add('status', 'Shows which migrations have been applied.', 'npm run migrate -- status --env prod').action(
    async (options: Options) => show(await states(await findTables(options, { changes: false })), options),
  );
  add('up', 'Applies pending migrations in order.', 'npm run migrate -- up --env prod')
    .option('--to <id>', 'the last one to apply', migrationId)
    .action((options: Options) => migrate('up', options, signal));
  add('down', 'Reverts the latest applied migration.', 'npm run migrate -- down --env prod')
    .option('--to <id>', 'the latest one to keep; 0 reverts all', migrationId)
    .action((options: Options) => migrate('down', options, signal));
  return program;
});

function migrationId(text: string): number {
  const id = Number(text);
  if (id !== 0 && !MIGRATIONS.some((one) => one.id === id)) {
    throw new InvalidArgumentError(`Expected one of 0, ${MIGRATIONS.map((one) => one.id).join(', ')}.`);
  }
  return id;
}

interface State {
  readonly migration: Migration;
  readonly progress: (Progress & { readonly updatedAt?: string }) | undefined;
}

async function states(place: TablePlace): Promise<readonly State[]> {
  const ledger = migrationLedger(place);
  return Promise.all(MIGRATIONS.map(async (migration) => ({ migration, progress: await ledger.read(migration) })));
}

async function migrate(direction: Direction, options: Options, signal: AbortSignal): Promise<void> {
  const place = await findTables(options, { changes: true, signal });
  const ledger = migrationLedger(place);
  const display = progressDisplay(options.json ? 'silent' : 'people');
  const owner = randomUUID();
  await ledger.lock(owner, Date.now());
  try {
    for (const migration of chosen(direction, await states(place), options.to)) {
      const title = `${migration.id} ${migration.name}, ${direction}`;
      let text = title;
      const onPage = ({ lookedAt, changed }: Progress) => {
        text = `${title}: ${changed} of ${lookedAt} items changed`;
      };
      const run = { place, ledger, owner, signal, onPage, now: Date.now };
      await display.live(
        () => text,
        200,
        () => runMigration(migration, direction, run),
      );
    }
  } finally {
    await ledger.unlock(owner);
  }
  show(await states(place), options);
}

function chosen(direction: Direction, all: readonly State[], to: number | undefined): readonly Migration[] {
  const isUp = ({ progress }: State) => progress?.state === 'up';
  const isTouched = ({ progress }: State) => progress !== undefined && progress.state !== 'down';
  if (direction === 'up') {
    return all.filter((one) => !isUp(one) && one.migration.id <= (to ?? Number.POSITIVE_INFINITY)).map(migrationOf);
  }
  const made = all.filter(isTouched).reverse();
  return (to === undefined ? made.slice(0, 1) : made.filter(({ migration }) => migration.id > to)).map(migrationOf);
}

function migrationOf({ migration }: State): Migration {
  return migration;
}

function stateText(state: Progress['state'] | undefined): string {
  switch (state) {
    case undefined:
      return 'pending';
    case 'up':
      return 'applied';
    case 'down':
      return 'reverted';
    case 'going-up':
      return 'interrupted while applying';
    case 'going-down':
      return 'interrupted while reverting';
  }
}

function show(all: readonly State[], { json }: Options): void {
  if (json) {
    const rows = all.map(({ migration: { id, name }, progress }) => ({
      ...{ id, name, state: progress?.state ?? 'pending' },
      ...(progress !== undefined && { looked_at: progress.lookedAt, changed: progress.changed }),
    }));
    console.log(
      JSON.stringify({ migrations: rows, pending: all.filter((one) => one.progress?.state !== 'up').length }),
    );
    return;
  }
  const rows = all.map(({ migration: { id, name, summary }, progress }) => [
    ...[String(id), name, stateText(progress?.state)],
    ...[progress === undefined ? '' : `${progress.changed} of ${progress.lookedAt}`, summary],
  ]);
  console.log(textTable(['', 'migration', 'state', 'changed', ''], rows));
}
