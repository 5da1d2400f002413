import { Command } from 'commander';
import * as z from 'zod';
import { EXIT } from '../../cli/run-command.ts';
import { type TokenCall, tokenCall } from '../../cli/target/admin-call.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { audienceText, ReleaseView, releaseDetails, stateText } from './show-release.ts';
import { StatsView, statsText } from './show-stats.ts';
import { type TrackOptions, trackOptions, trackQuery } from './track-options.ts';

const ReleasePage = z.object({ releases: z.array(ReleaseView), next_cursor: z.string().optional() });
const Shown = z.object({
  release: ReleaseView,
  audit_trail: z.array(
    z.looseObject({ action: z.string(), actor: z.string(), timestamp: z.string(), reason: z.string().optional() }),
  ),
});
const DevicePage = z.object({
  looked_at: z.number(),
  devices: z.array(
    z.object({
      hw_id: z.string(),
      serial: z.string(),
      status: z.string(),
      firmware_version: z.string().nullable(),
      bucket_pct: z.number(),
      by: z.string(),
    }),
  ),
  next_cursor: z.string().optional(),
});

/** The commands that only read releases. */
export function viewCommands(signal: AbortSignal): readonly Command[] {
  const connect = (options: TrackOptions) => tokenCall(options, 'admin', signal);
  return [
    trackOptions(new Command('list'))
      .description('Lists the releases of a channel, newest first.')
      .option('--limit <count>', 'maximum number of releases', Number, 50)
      .addHelpText('after', '\nExamples:\n  npm run ota -- list\n  npm run ota -- list --channel beta --json\n')
      .action(async (options: TrackOptions & { readonly limit: number }) =>
        list(await connect(options), options, options.limit),
      ),
    trackOptions(new Command('show'))
      .description('Shows a release and its history.')
      .argument('<version>', 'the release')
      .addHelpText('after', '\nExample:\n  npm run ota -- show 1.4.0\n')
      .action(async (version: string, options: TrackOptions) => {
        const call = await connect(options);
        const shown = await call(`/ota/releases/${version}?${trackQuery(options)}`, Shown);
        console.log(options.json ? JSON.stringify(shown) : shownText(shown));
      }),
    trackOptions(new Command('stats'))
      .description('Shows how a rollout is going: devices reached, confirmed and failed, and where it fails.')
      .argument('<version>', 'the release')
      .option('--check', `exit with code ${EXIT.refused} if it has halted automatically`, false)
      .addHelpText('after', '\nExamples:\n  npm run ota -- stats 1.4.0\n  npm run ota -- stats 1.4.0 --check --json\n')
      .action(async (version: string, options: TrackOptions & { readonly check: boolean }) => {
        const call = await connect(options);
        const stats = await call(`/ota/releases/${version}/stats?${trackQuery(options)}`, StatsView);
        console.log(options.json ? JSON.stringify(stats) : statsText(stats));
        if (options.check && stats.state === 'halted') process.exitCode = EXIT.refused;
      }),
    trackOptions(new Command('who'))
      .description('Lists the devices that a release is offered to, even before it is published.')
      .argument('<version>', 'the release')
      .addHelpText(
        'after',
        '\nExamples:\n  npm run ota -- who 1.4.0\n  npm run ota -- who 1.4.0 --channel beta --json\n',
      )
      .action(async (version: string, options: TrackOptions) => who(await connect(options), version, options)),
  ];
}

async function list(call: TokenCall, options: TrackOptions, limit: number): Promise<void> {
  const releases: ReleaseView[] = [];
  let cursor = '';
  do {
    const wanted = Math.min(100, limit - releases.length);
    const page = await call(`/ota/releases?${trackQuery(options)}&limit=${wanted}${cursor}`, ReleasePage);
    releases.push(...page.releases);
    cursor = page.next_cursor === undefined ? '' : `&cursor=${page.next_cursor}`;
  } while (cursor !== '' && releases.length < limit);
  if (options.json) {
    for (const release of releases) console.log(JSON.stringify(release));
    return;
  }
  if (releases.length === 0) {
    console.log(`No releases on ${options.channel} for ${options.board}.`);
    return;
  }
  const rows = releases.map((release) => [
    release.version,
    stateText(release.state),
    audienceText(release),
    release.published_at?.slice(0, 16).replace('T', ' ') ?? '–',
    release.min_version === null ? '' : `needs ${release.min_version}`,
  ]);
  console.log(textTable(['Version', 'State', 'Offered to', 'Published', ''], rows));
}

function shownText({ release, audit_trail: trail }: z.output<typeof Shown>): string {
  const lines = trail.map(({ action, actor, timestamp, reason }) =>
    `  ${timestamp.slice(0, 19)}Z  ${action.padEnd(9)} by ${actor}${reason === undefined ? '' : `: ${reason}`}`.trimEnd(),
  );
  return [releaseDetails(release), '', 'History, newest first', ...lines].join('\n');
}

async function who(call: TokenCall, version: string, options: TrackOptions): Promise<void> {
  let [looked, found, cursor] = [0, 0, ''];
  do {
    const path = `/ota/releases/${version}/devices?${trackQuery(options)}&limit=100${cursor}`;
    const page = await call(path, DevicePage);
    looked += page.looked_at;
    found += page.devices.length;
    // Printed page by page: a fleet may be large.
    for (const device of page.devices) {
      const { serial, hw_id: hwId, firmware_version: runs, bucket_pct: bucket, by } = device;
      const why = by === 'allowlist' ? 'listed' : `at ${bucket} %`;
      console.log(options.json ? JSON.stringify(device) : `${serial}  ${hwId}  runs ${runs ?? 'unknown'}  ${why}`);
    }
    cursor = page.next_cursor === undefined ? '' : `&cursor=${page.next_cursor}`;
  } while (cursor !== '');
  if (!options.json) console.log(`${found} of ${looked} devices of ${options.board}`);
}
