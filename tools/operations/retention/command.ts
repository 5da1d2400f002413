import { Command, InvalidArgumentError } from 'commander';
import pMap from 'p-map';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { findPlace, type Place, type PlaceOptions } from '../../cli/target/place.ts';
import { placeOptions } from '../../cli/target/place-options.ts';
import { wholeNumber } from '../../cli/terminal/number-arguments.ts';
import { progressDisplay } from '../../cli/terminal/progress-display.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { countInactiveAccounts } from './inactive-accounts.ts';
import { type Outdated, outdated, remove } from './outdated.ts';

interface Options extends PlaceOptions {
  readonly dryRun: boolean;
  readonly at?: Date;
  readonly inactiveDays: number;
  readonly json: boolean;
}

await runCommand((signal) =>
  placeOptions(new Command('npm run retention --'))
    .description(
      'Removes outdated data: items whose time to live has passed, abandoned drafts and photos, states that no ' +
        'account points to. AWS removes most of it on its own; this command checks that and removes what was missed. ' +
        'docs/retention.md lists what is kept and why.',
    )
    .option('--dry-run', 'list what would be removed, and remove nothing', false)
    .option('--at <date>', 'check for that date instead of now; with --dry-run only', parseDate)
    .option('--inactive-days <days>', 'count accounts that were not used for this long', wholeNumber, 730)
    .option('--json', 'JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run retention -- --dry-run\n' +
        '  npm run retention -- --dry-run --at 2027-01-01 --env prod --bucket <ArtifactBucketName>\n',
    )
    .action((options: Options) => sweep(options, signal)),
);

function parseDate(text: string): Date {
  const date = new Date(text);
  if (Number.isNaN(date.getTime())) throw new InvalidArgumentError('Expected a date like 2027-01-01.');
  return date;
}

interface Count {
  readonly count: number;
  readonly bytes: number;
}

async function sweep(options: Options, signal: AbortSignal): Promise<void> {
  if (options.at !== undefined && !options.dryRun) {
    throw new PlainError('--at only works with --dry-run: nothing is removed before its time.');
  }
  const place = await findPlace(options, { changes: !options.dryRun, signal });
  const now = (options.at ?? new Date()).getTime();
  const display = progressDisplay(options.json ? 'silent' : 'people');
  const counts = new Map<string, Count>();
  await display.during(`Scanning ${place.environment}`, () => countAll(place, now, options, counts, signal));
  const before = new Date(now - options.inactiveDays * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);
  show(counts, await countInactiveAccounts(place, before), options);
}

async function countAll(
  place: Place,
  now: number,
  { dryRun }: Options,
  counts: Map<string, Count>,
  signal: AbortSignal,
): Promise<void> {
  await pMap(
    outdated(place, now),
    async (found) => {
      if (!dryRun) await remove(place, found, now);
      const { count, bytes } = counts.get(found.rule) ?? { count: 0, bytes: 0 };
      counts.set(found.rule, { count: count + 1, bytes: bytes + bytesOf(found) });
    },
    { concurrency: 8, signal },
  );
}

function bytesOf(found: Outdated): number {
  return found.kind === 'object' ? found.bytes : 0;
}

function show(counts: ReadonlyMap<string, Count>, inactive: number, { dryRun, json, inactiveDays }: Options): void {
  const rules = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  if (json) {
    const found = rules.map(([rule, { count, bytes }]) => ({ rule, count, bytes }));
    console.log(JSON.stringify({ removed: !dryRun, found, inactive_accounts: inactive }));
    return;
  }
  if (rules.length === 0) console.log('Nothing is outdated.');
  else {
    const rows = rules.map(([rule, { count, bytes }]) => [rule, String(count), bytes === 0 ? '' : String(bytes)]);
    console.log(textTable([dryRun ? 'would be removed' : 'removed', 'count', 'bytes'], rows));
  }
  console.log(`${inactive} accounts were not used for ${inactiveDays} days. They are only counted, never removed.`);
}
