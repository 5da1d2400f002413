import { Command } from 'commander';
import pMap from 'p-map';
import { PlainError } from '../../cli/plain-error.ts';
import { EXIT, runCommand } from '../../cli/run-command.ts';
import { targetOptions } from '../../cli/target/admin-call.ts';
import { ApiCallError, apiClient } from '../../cli/target/api-client.ts';
import { findTarget, type TargetOptions } from '../../cli/target/target.ts';
import { progressDisplay } from '../../cli/terminal/progress-display.ts';
import { parseSince } from '../../cli/terminal/since.ts';
import { eventDetails, eventLine, paint } from './show-event.ts';
import { STATUSES, stripeEvents } from './stripe-events.ts';

/** Each replay calls Stripe, whose rate limit is far above this. */
const AT_ONCE = 4;

interface Options extends TargetOptions {
  readonly json: boolean;
  readonly since?: string;
  readonly failed: boolean;
  readonly kept: boolean;
  readonly atStripe: boolean;
  readonly dryRun: boolean;
}

await runCommand((signal) => {
  const program = new Command('npm run webhooks --').description(
    'Lists the events that Stripe has sent, and replays those that failed or never arrived.',
  );
  const target = (command: Command) => targetOptions(command, 'admin').option('--json', 'JSON, for machines', false);
  const choice = (command: Command) =>
    command
      .option('--failed', 'only events that failed', false)
      .option('--kept', 'only events that were kept because their customer has no user yet', false)
      .option('--since <when>', 'a span like 90m, 2h or 3d, or a date', (text) => parseSince(text));

  choice(target(program.command('list')))
    .description('Lists events, newest first.')
    .option('--at-stripe', 'list the events at Stripe, including those that never arrived; with --since', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run webhooks -- list --failed\n  npm run webhooks -- list --at-stripe --since 2h --json\n',
    )
    .action(async (options: Options) => list(await connect(options, signal), options));
  target(program.command('show'))
    .description('Shows one event.')
    .argument('<event>', 'its id, evt_…')
    .addHelpText('after', '\nExample:\n  npm run webhooks -- show evt_1AbC\n')
    .action(async (eventId: string, options: Options) => {
      const event = await (await connect(options, signal)).show(eventId);
      console.log(options.json ? JSON.stringify(event) : eventDetails(event));
    });
  choice(target(program.command('replay')))
    .description(
      'Processes events again. Safe to repeat: it applies the current state at Stripe.\n\n' +
        'With --since alone: all events at Stripe since then that are not done, including those that never arrived.',
    )
    .argument('[events...]', 'their ids, evt_…')
    .option('--dry-run', 'only list what would be replayed', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run webhooks -- replay evt_1AbC\n  npm run webhooks -- replay --failed\n' +
        '  npm run webhooks -- replay --since 3d\n\nExit code 0 if all succeeded, 1 if one of them failed again.\n',
    )
    .action(async (eventIds: string[], options: Options) =>
      replay(await connect(options, signal, !options.dryRun), eventIds, options, signal),
    );
  return program;
});

type Events = ReturnType<typeof stripeEvents>;

async function connect(options: TargetOptions, signal: AbortSignal, changes = false): Promise<Events> {
  const target = await findTarget(options, { changes, signal });
  return stripeEvents(apiClient(target.apiBaseUrl, signal), await target.token('adminToken'));
}

async function list(events: Events, options: Options): Promise<void> {
  const found = options.atStripe
    ? await events.atStripe(sinceFor(options, 'list --at-stripe'))
    : await events.inLedger(chosenStatuses(options) ?? STATUSES, options.since);
  if (options.json) {
    for (const event of found) console.log(JSON.stringify(event));
    return;
  }
  if (found.length === 0) console.log('No events found.');
  for (const event of found) console.log(eventLine(event));
}

async function replay(events: Events, given: readonly string[], options: Options, signal: AbortSignal): Promise<void> {
  const chosen = given.length > 0 ? given : await toReplay(events, options);
  if (options.dryRun) {
    for (const eventId of chosen) console.log(options.json ? JSON.stringify({ eventId }) : eventId);
    return;
  }
  const display = progressDisplay(options.json ? 'silent' : 'people');
  const results = await display.bar(`Replaying ${chosen.length}`, chosen.length, (advanceTo) => {
    let finished = 0;
    return pMap(
      chosen,
      async (eventId) => {
        const result = await replayOne(events, eventId);
        finished += 1;
        advanceTo(finished);
        return result;
      },
      { concurrency: AT_ONCE, signal },
    );
  });
  for (const result of results) {
    if (options.json) console.log(JSON.stringify(result));
    else console.log(`${result.eventId}  ${result.ok ? result.outcome : paint('red', result.error)}`);
  }
  const failed = results.filter(({ ok }) => !ok).length;
  if (!options.json) console.log(`${results.length - failed} replayed, ${failed} failed`);
  if (failed > 0) process.exitCode = EXIT.failed;
}

async function replayOne(events: Events, eventId: string) {
  try {
    return { eventId, ok: true, outcome: await events.replay(eventId) } as const;
  } catch (error) {
    // One failing event must not stop the others.
    if (!(error instanceof ApiCallError)) throw error;
    return { eventId, ok: false, error: error.message } as const;
  }
}

/** Oldest first, as they happened. */
async function toReplay(events: Events, options: Options): Promise<readonly string[]> {
  const statuses = chosenStatuses(options);
  const found =
    statuses === undefined
      ? (await events.atStripe(sinceFor(options, 'replay'))).filter(({ status }) => status !== 'done')
      : await events.inLedger(statuses, options.since);
  return found.map(({ eventId }) => eventId).reverse();
}

function chosenStatuses({ failed, kept }: Options) {
  if (!failed && !kept) return undefined;
  return STATUSES.filter((status) => (status === 'failed' && failed) || (status === 'kept' && kept));
}

function sinceFor({ since }: Options, what: string): string {
  if (since === undefined) throw new PlainError(`${what} needs a selection: event ids, --failed, --kept or --since.`);
  return since;
}
