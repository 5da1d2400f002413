import { setTimeout as delay } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import * as z from 'zod';
import { PlainError, RefusedError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { type TokenCall, tokenCall } from '../../cli/target/admin-call.ts';
import { percentage, wholeNumber } from '../../cli/terminal/number-arguments.ts';
import { publishOptions } from '../ota/publish/publish-command.ts';
import { type PublishOptions, publishImage } from '../ota/publish/publish-image.ts';
import { type Decision, nextStep } from '../ota/rollout-plan.ts';
import { ReleaseView } from '../ota/show-release.ts';
import { StatsView } from '../ota/show-stats.ts';

interface Options extends PublishOptions {
  readonly steps: readonly number[];
  readonly settledPct: number;
  readonly minFinished: number;
  readonly maxFailurePct: number;
  readonly watch: boolean;
  readonly everySeconds: number;
}

await runCommand((signal) =>
  publishOptions(new Command('npm run ota:deploy --'))
    .description(
      'Publishes firmware to a few devices and widens the rollout step by step while failures stay low. Each call ' +
        'takes at most one step, so a pipeline can repeat it; with --watch, one call runs the whole rollout.',
    )
    .option('--steps <percent...>', 'shares of devices, ascending', rising, [5, 25, 100])
    .option('--settled-pct <percent>', 'percentage of a step’s devices that must have finished', percentage, 30)
    .option('--min-finished <count>', 'minimum number of finished devices', wholeNumber, 20)
    .option('--max-failure-pct <percent>', 'maximum percentage of failures among them', percentage, 5)
    .option('--watch', 'keep running and take every step when it is due', false)
    .option('--every-seconds <count>', 'how often to check with --watch', wholeNumber, 60)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run ota:deploy -- --artifact-path build/zephyr/zephyr.signed.bin\n' +
        '  npm run ota:deploy -- --artifact-path app.signed.bin --steps 1 10 50 100 --watch\n' +
        '\nExit codes: 0 a step was taken, it is too early for the next one, or the rollout is done;\n' +
        '1 failed, run it again; 2 invalid arguments; 3 stopped: too many failures, or the release was paused.\n',
    )
    .action((options: Options) => deploy(options, signal)),
);

function rising(text: string, before: readonly number[]): readonly number[] {
  // Commander passes the default with the first value.
  const steps = before.at(-1) === 100 ? [] : before;
  const step = percentage(text);
  if (step <= (steps.at(-1) ?? 0)) throw new InvalidArgumentError('Expected ascending numbers like 5 25 100.');
  return [...steps, step];
}

async function deploy(options: Options, signal: AbortSignal): Promise<void> {
  const [firstPct] = options.steps;
  if (firstPct === undefined) throw new PlainError('--steps needs a number.');
  const published = await publishImage({ ...options, rolloutPct: firstPct }, signal);
  if (published === undefined) return;
  const call = await tokenCall(options, 'admin', signal, { changes: true });
  for (;;) {
    const decision = await takeStep(call, published, options);
    show(decision, published.version, options);
    if (decision.kind === 'stop') throw new RefusedError(`${published.version} is not widened: ${decision.reason}.`);
    if (decision.kind === 'done' || !options.watch) return;
    await delay(options.everySeconds * 1000, undefined, { signal });
  }
}

interface Track {
  readonly version: string;
  readonly channel: string;
  readonly board: string;
}

async function takeStep(call: TokenCall, { version, channel, board }: Track, rule: Options): Promise<Decision> {
  const query = new URLSearchParams({ channel, board });
  const [{ release }, stats] = await Promise.all([
    call(`/ota/releases/${version}?${query}`, z.object({ release: ReleaseView })),
    call(`/ota/releases/${version}/stats?${query}`, StatsView),
  ]);
  const decision = nextStep(stats, release.rollout_pct, rule);
  if (decision.kind === 'widen') {
    const body = { channel, board, rollout_pct: decision.toPct, reason: `ota:deploy: ${decision.reason}` };
    await call(`/ota/releases/${version}/rollout`, z.object({ changed: z.boolean() }), body);
  }
  return decision;
}

function show(decision: Decision, version: string, { json }: Options): void {
  if (json) {
    console.log(JSON.stringify({ version, ...decision }));
    return;
  }
  const reason = `${decision.reason}.`;
  switch (decision.kind) {
    case 'widen':
      console.log(`${version} is now offered to ${decision.toPct} %: ${reason}`);
      break;
    case 'wait':
      console.log(`${version} is not widened yet: ${reason}`);
      break;
    case 'done':
      console.log(`${version}: ${reason}`);
      break;
    case 'stop':
      break;
  }
}
