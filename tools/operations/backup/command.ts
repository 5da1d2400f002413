import { Command } from 'commander';
import { EXIT, runCommand } from '../../cli/run-command.ts';
import { findPlace, type PlaceOptions } from '../../cli/target/place.ts';
import { placeOptions } from '../../cli/target/place-options.ts';
import { progressDisplay } from '../../cli/terminal/progress-display.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { exportBackup, restoreBackup, verifyBackup } from './backup-steps.ts';
import { backupTarget, readingFrom, type TargetOptions, writingTo } from './backup-target.ts';
import type { Contents } from './manifest.ts';
import { pitrCommand } from './pitr-command.ts';

interface Options extends PlaceOptions, TargetOptions {
  readonly json: boolean;
  readonly folderOnly?: boolean;
}

await runCommand((signal) => {
  const program = new Command('npm run backup --').description(
    'Exports an environment’s tables and bucket to a folder or another bucket, restores them, and compares them. ' +
      'For drills, moves and emergencies. A backup lacks everything written after it; point-in-time recovery covers ' +
      'every second.',
  );
  for (const [name, summary, run, example] of [
    ['export', 'Copies everything into an empty folder.', exportTo, 'npm run backup -- export /backups/monday'],
    [
      'restore',
      'Restores a backup into an environment that was deployed but never used.',
      restoreFrom,
      'npm run backup -- restore /backups/monday --env drill --bucket autowatering-drill',
    ],
    [
      'verify',
      'Checks that a backup is complete, and that an environment matches it.',
      verify,
      'npm run backup -- verify /backups/monday --folder-only',
    ],
  ] as const) {
    const command = placeOptions(program.command(name))
      .description(summary)
      .argument('<folder>', 'the backup: a folder, or s3://bucket/name')
      .option('--backup-s3-url <url>', 'another S3 endpoint for the backup itself')
      .option('--json', 'JSON, for machines', false)
      .addHelpText('after', `\nExample:\n  ${example}\n`)
      .action(run);
    if (name === 'verify') command.option('--folder-only', 'check only the backup', false);
  }
  return program.addCommand(pitrCommand(signal));
});

function displayOf({ json }: Options) {
  return progressDisplay(json ? 'silent' : 'people');
}

async function exportTo(folder: string, options: Options): Promise<void> {
  const place = await findPlace(options, { changes: false });
  const manifest = await writingTo(backupTarget(folder, options), (to) =>
    exportBackup(place, to, displayOf(options), new Date()),
  );
  show(manifest, options, `Backed up to ${folder}.`);
}

async function restoreFrom(folder: string, options: Options): Promise<void> {
  const place = await findPlace(options, { changes: true });
  const { manifest, cleared, pending } = await readingFrom(backupTarget(folder, options), (from) =>
    restoreBackup(place, from, displayOf(options), new Date()),
  );
  if (options.json) {
    console.log(JSON.stringify({ ...manifest, cleared, pending_migrations: pending.map(({ id }) => id) }));
    return;
  }
  show(manifest, options, `Restored and verified: every item and object of ${manifest.madeAt} is there.`);
  if (cleared.length > 0) console.log(`Removed first, because the backup has its own: ${cleared.join(', ')}.`);
  if (pending.length > 0) {
    const names = pending.map(({ id, name }) => `${id} ${name}`).join(', ');
    console.log(`This data still needs these migrations: ${names}. Apply them with "npm run migrate -- up".`);
  }
}

async function verify(folder: string, options: Options): Promise<void> {
  const place = options.folderOnly === true ? undefined : await findPlace(options, { changes: false });
  const found = await readingFrom(backupTarget(folder, options), (from) =>
    verifyBackup(place, from, displayOf(options)),
  );
  if (options.json) console.log(JSON.stringify({ same: found.length === 0, differences: found }));
  else
    console.log(found.length === 0 ? 'No differences.' : `Differences:\n${found.map((one) => `  ${one}`).join('\n')}`);
  if (found.length > 0) process.exitCode = EXIT.failed;
}

function show(contents: Contents, { json }: Options, sentence: string): void {
  if (json) {
    console.log(JSON.stringify(contents));
    return;
  }
  const rows = Object.entries(contents.tables).map(([table, { count }]) => [`table ${table}`, String(count)]);
  console.log(textTable(['', 'count'], [...rows, ['objects', String(contents.objects.count)]]));
  console.log(sentence);
}
