import { Command } from 'commander';
import * as z from 'zod';
import { PlainError, RefusedError } from '../../cli/plain-error.ts';
import { tokenCall } from '../../cli/target/admin-call.ts';
import { ApiCallError } from '../../cli/target/api-client.ts';
import { percentage } from '../../cli/terminal/number-arguments.ts';
import { type AlarmPolicyOptions, alarmPolicyFields, alarmPolicyOptions } from './alarm-policy.ts';
import { audienceText, ReleaseView, stateText } from './show-release.ts';
import { type TrackOptions, trackOptions } from './track-options.ts';

const Changed = z.object({ changed: z.boolean(), release: ReleaseView });
const Lifted = z.object({ hw_id: z.string(), lifted: z.boolean(), was_until: z.string().nullable() });

interface StepOptions extends TrackOptions {
  readonly reason?: string;
}

/** The commands that change a release. All can be repeated. */
export function stepCommands(signal: AbortSignal): readonly Command[] {
  const step = async (options: StepOptions, version: string, name: string, fields: object) => {
    const call = await tokenCall(options, 'admin', signal, { changes: true });
    const { channel, board, reason } = options;
    const body = { channel, board, ...(reason === undefined ? {} : { reason }), ...fields };
    const result = await refusing(call(`/ota/releases/${version}/${name}`, Changed, body));
    if (options.json) {
      console.log(JSON.stringify(result));
      return;
    }
    const { release, changed } = result;
    const now = `${release.version} on ${release.channel} for ${release.board}: ${stateText(release.state)}, ${audienceText(release)}`;
    console.log(changed ? now : `${now} (nothing to change)`);
  };

  const simple = (name: 'pause' | 'resume' | 'withdraw', description: string) =>
    trackOptions(new Command(name))
      .description(description)
      .argument('<version>', 'the release')
      .option('--reason <text>', 'why, for the audit')
      .addHelpText('after', `\nExample:\n  npm run ota -- ${name} 1.4.0 --reason "valves stay open"\n`)
      .action((version: string, options: StepOptions) => step(options, version, name, {}));

  return [
    alarmPolicyOptions(trackOptions(new Command('rollout')))
      .description('Changes who a release is offered to. Raising the percentage never excludes a device.')
      .argument('<version>', 'the release')
      .argument('[percent]', 'share of devices, 0 to 100 with up to two decimals', percentage)
      .option('--allowlist <id...>', 'serials and hardware ids that always get it; replaces the old list')
      .option('--clear-allowlist', 'remove all entries from the allowlist', false)
      .option('--halt-min-reports <count>', 'finished devices before it can halt automatically', Number)
      .option('--halt-max-failure-pct <percent>', 'failure rate that halts it', Number)
      .option('--reason <text>', 'why, for the audit')
      .addHelpText(
        'after',
        '\nExamples:\n  npm run ota -- rollout 1.4.0 25\n  npm run ota -- rollout 1.4.0 --allowlist 000123 000124\n',
      )
      .action((version: string, percent: number | undefined, options: RolloutOptions) =>
        step(options, version, 'rollout', rolloutFields(percent, options)),
      ),
    simple('pause', 'Stops offering a release until it is resumed.'),
    simple('resume', 'Offers a paused or halted release again. After a halt, failures are counted from zero.'),
    simple(
      'withdraw',
      'Withdraws a release permanently. Download links issued before stay valid for up to 15 minutes.',
    ),
    trackOptions(new Command('promote'))
      .description('Publishes a release on another channel, with the same bytes.')
      .argument('<version>', 'the release')
      .option('--from <channel>', 'the channel to promote from', 'beta')
      .option('--rollout-pct <percent>', 'share of devices to offer it to on the new channel', percentage, 100)
      .addHelpText(
        'after',
        '\nExample:\n  npm run ota -- promote 1.4.0 --from beta --channel stable --rollout-pct 10\n',
      )
      .action((version: string, options: StepOptions & { readonly from: string; readonly rolloutPct: number }) =>
        step({ ...options, channel: options.from }, version, 'promote', {
          to_channel: options.channel,
          rollout_pct: options.rolloutPct,
        }),
      ),
    trackOptions(new Command('lift'))
      .description('Lets a device retry a release after three failures.')
      .argument('<version>', 'the release')
      .argument('<device>', 'its serial or hardware id')
      .addHelpText('after', '\nExample:\n  npm run ota -- lift 1.4.0 000123\n')
      .action(async (version: string, device: string, options: TrackOptions) => {
        const call = await tokenCall(options, 'admin', signal, { changes: true });
        const { channel, board } = options;
        const named = /^\d{6}$/.test(device) ? { serial: device } : { hw_id: device };
        const result = await call(`/ota/releases/${version}/lift`, Lifted, { channel, board, ...named });
        if (options.json) console.log(JSON.stringify(result));
        else
          console.log(result.lifted ? `${result.hw_id} can try ${version} again.` : `${result.hw_id} was not blocked.`);
      }),
  ];
}

interface RolloutOptions extends StepOptions, AlarmPolicyOptions {
  readonly allowlist?: readonly string[];
  readonly clearAllowlist: boolean;
  readonly haltMinReports?: number;
  readonly haltMaxFailurePct?: number;
}

function rolloutFields(percent: number | undefined, options: RolloutOptions): object {
  const { haltMinReports: minReports, haltMaxFailurePct: maxFailurePct, clearAllowlist } = options;
  if ((minReports === undefined) !== (maxFailurePct === undefined)) {
    throw new PlainError('Pass --halt-min-reports and --halt-max-failure-pct together.');
  }
  const allowlist = clearAllowlist ? [] : options.allowlist;
  const fields = {
    ...(percent === undefined ? {} : { rollout_pct: percent }),
    ...(allowlist === undefined ? {} : { allowlist }),
    ...(minReports === undefined ? {} : { halt_policy: { min_reports: minReports, max_failure_pct: maxFailurePct } }),
    ...alarmPolicyFields(options),
  };
  if (Object.keys(fields).length === 0) throw new PlainError('Nothing to change: pass a percentage or an option.');
  return fields;
}

/** Turns a conflict with the release's state into a refusal: trying again would not help. */
async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const isRefusal = error instanceof ApiCallError && error.status === 409;
    throw isRefusal ? new RefusedError(error.message) : error;
  }
}
