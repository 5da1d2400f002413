import { Command } from 'commander';
import { targetOptions } from '../../../cli/target/admin-call.ts';
import { percentage, wholeNumber } from '../../../cli/terminal/number-arguments.ts';
import { alarmPolicyOptions } from '../alarm-policy.ts';
import { type PublishOptions, publishImage } from './publish-image.ts';

/** @param name the command's name in its help */
export function publishCommand(name: string, signal: AbortSignal): Command {
  return publishOptions(new Command(name))
    .description(
      'Publishes a signed MCUboot image: registers a draft, uploads and publishes it. Run it again to resume.',
    )
    .option('--rollout-pct <percent>', 'share of devices to offer it to, 0 to 100', percentage, 100)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run ota -- publish --artifact-path build/zephyr/zephyr.signed.bin --rollout-pct 5\n' +
        '  npm run ota -- publish --source-dir ../firmware --sysbuild --pristine --channel beta\n' +
        '  npm run ota -- publish --artifact-path app.signed.bin --version 1.4.0 --dry-run --json\n' +
        '\nExit codes: 0 published, now or before; 1 failed, run it again; 2 invalid arguments;\n' +
        '3 refused: invalid image, conflicting versions, or the version exists with different bytes.\n',
    )
    .action((options: PublishOptions) => publish(options, signal));
}

/** Adds the options shared by all publishing commands. Each command adds its own for the rollout. */
export function publishOptions(command: Command): Command {
  command
    .option('--artifact-path <file>', "the signed image (default: west's build output)")
    .option('--version <semver>', 'must match the image, VERSION and the git tag')
    .option('--channel <name>', 'the release channel', 'stable')
    .option('--board <name>', 'the target board', 'arduino_nano_33_ble')
    .option('--notes <text>', 'release notes for users', '')
    .option('--mandatory', 'users can not skip it in the app', false)
    .option('--allowlist <id...>', 'serials and hardware ids that always get it')
    .option('--min-version <semver>', 'oldest firmware version that can install it')
    .option('--min-bootloader <semver>', 'oldest bootloader version that can install it')
    .option('--allow-downgrade', 'allow it to replace a newer version', false)
    .option('--halt-min-reports <count>', 'finished devices before it can halt automatically', wholeNumber)
    .option('--halt-max-failure-pct <percent>', 'failure rate that halts it', percentage)
    .option('--source-dir <directory>', 'the application to build, with its VERSION file and git tag')
    .option('--build-dir <directory>', "west's build directory", 'build')
    .option('--skip-build', 'publish the existing build output', false)
    .option('--sysbuild', 'build with sysbuild', false)
    .option('--pristine', 'build from scratch', false)
    .option('--dry-run', 'show the steps and change nothing', false)
    .option('--json', 'print the result as JSON, without progress', false);
  return targetOptions(alarmPolicyOptions(command), 'admin');
}

async function publish(options: PublishOptions, signal: AbortSignal): Promise<void> {
  const published = await publishImage(options, signal);
  if (options.json && published !== undefined) console.log(JSON.stringify(published));
}
