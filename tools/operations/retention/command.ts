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
import { type UnusedPeer, unusedPeers } from './unused-peers.ts';

interface Options extends PlaceOptions {
  readonly dryRun: boolean;
  readonly at?: Date;
  readonly inactiveDays: number;
  readonly unusedPeerDays: number;
  readonly json: boolean;
}

const DAY_MS = 24 * 60 * 60 * 1000;

await runCommand((signal) =>
  placeOptions(new Command('npm run retention --'))
    .description(
      'Removes outdated data: items whose time to live has passed, abandoned drafts and photos, states that no ' +
        'account points to, telemetry of devices that are no longer owned. AWS removes most of it on its own; this command checks that and removes what was missed. ' +
        'docs/retention.md lists what is kept and why.',
    )
    .option('--dry-run', 'list what would be removed, and remove nothing', false)
    .option('--at <date>', 'check for that date instead of now; with --dry-run only', parseDate)
    .option('--inactive-days <days>', 'count accounts that were not used for this long', wholeNumber, 730)
    .option('--unused-peer-days <days>', 'list peers that did not connect for this long', wholeNumber, 365)
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
  const before = new Date(now - options.inactiveDays * DAY_MS).toISOString().slice(0, 10);
  const [inactive, peers] = await Promise.all([
    countInactiveAccounts(place, before),
    unusedPeers(place, now - options.unusedPeerDays * DAY_MS),
  ]);
  show(counts, inactive, peers, options);
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

function show(
  counts: ReadonlyMap<string, Count>,
  inactive: number,
  peers: readonly UnusedPeer[],
  { dryRun, json, inactiveDays, unusedPeerDays }: Options,
): void {
  const rules = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  if (json) {
    const found = rules.map(([rule, { count, bytes }]) => ({ rule, count, bytes }));
    const unused = peers.map(({ uid, peerId, peerType, lastUsedOn }) => ({
      ...{ uid, peer_id: peerId, peer_type: peerType, last_used_on: lastUsedOn },
    }));
    console.log(JSON.stringify({ removed: !dryRun, found, inactive_accounts: inactive, unused_peers: unused }));
    return;
  }
  if (rules.length === 0) console.log('Nothing is outdated.');
  else {
    const rows = rules.map(([rule, { count, bytes }]) => [rule, String(count), bytes === 0 ? '' : String(bytes)]);
    console.log(textTable([dryRun ? 'would be removed' : 'removed', 'count', 'bytes'], rows));
  }
  console.log(`${inactive} accounts were not used for ${inactiveDays} days. They are only counted, never removed.`);
  console.log(`${peers.length} peers were not used for ${unusedPeerDays} days. Only their owners revoke them.`);
  if (peers.length === 0) return;
  const rows = peers.map(({ uid, peerId, peerType, lastUsedOn }) => [lastUsedOn, peerType, peerId, uid]);
  console.log(textTable(['last used', 'type', 'peer', 'account'], rows));
}
