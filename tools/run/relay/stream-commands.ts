import { Command } from 'commander';
import * as z from 'zod';
import { RefusedError } from '../../cli/plain-error.ts';
import { ApiCallError } from '../../cli/target/api-client.ts';
import { wholeNumber } from '../../cli/terminal/number-arguments.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { eventLine } from './event-line.ts';
import { relayCall } from './relay-calls.ts';
import { type RelayOptions, relayOptions, relayTarget } from './relay-options.ts';

const Streams = z.object({
  streams: z.array(
    z.object({
      stream: z.string(),
      epoch: z.string(),
      head: z.number(),
      bytes: z.number(),
      retention_days: z.number(),
      created_at: z.number(),
    }),
  ),
});

const Page = z.object({
  stream: z.string(),
  epoch: z.string(),
  head: z.number(),
  events: z.array(
    z.looseObject({
      seq: z.number(),
      type: z.string(),
      key: z.string().optional(),
      payload: z.unknown(),
      peer_id: z.string(),
      received_at: z.number(),
    }),
  ),
  continuation: z.string().optional(),
});

/** A page's most events. */
const PAGE = 1_000;

interface ReplayOptions extends RelayOptions {
  readonly after: number;
  readonly epoch?: string;
  readonly limit?: number;
}

/** The commands that read streams over HTTP, also while the peer is connected elsewhere. */
export function streamCommands(signal: AbortSignal): readonly Command[] {
  return [
    relayOptions(new Command('streams'))
      .description("Lists the account's streams.")
      .addHelpText('after', '\nExamples:\n  npm run relay -- streams\n  npm run relay -- streams --json\n')
      .action(async (options: RelayOptions) => {
        const call = await relayCall(await relayTarget(options, signal), options, signal);
        const { streams } = await call('/relay/streams', Streams);
        if (options.json) for (const stream of streams) console.log(JSON.stringify(stream));
        else console.log(streams.length === 0 ? NO_STREAMS : streamTable(streams));
      }),
    relayOptions(new Command('replay'))
      .description('Prints the events of a stream, in order.')
      .argument('<stream>', 'its name')
      .option('--after <seq>', 'only events after this one', Number, 0)
      .option('--epoch <epoch>', 'only if the stream still has this epoch')
      .option('--limit <count>', 'at most so many', wholeNumber)
      .addHelpText(
        'after',
        '\nExamples:\n  npm run relay -- replay zones\n  npm run relay -- replay zones --after 120 --limit 50\n' +
          '  npm run relay -- replay zones --json > zones.jsonl\n',
      )
      .action(async (stream: string, options: ReplayOptions) => replay(stream, options, signal)),
  ];
}

const NO_STREAMS = `No streams yet. The first event makes one: npm run relay -- publish notes '"hello"'.`;

function streamTable(streams: z.output<typeof Streams>['streams']): string {
  return textTable(
    ['stream', 'events up to', 'KB', 'kept for', 'since', 'epoch'],
    streams.map(({ stream, head, bytes, retention_days: days, created_at: since, epoch }) => [
      stream,
      String(head),
      (bytes / 1024).toFixed(1),
      `${days} days`,
      `${new Date(since).toISOString().slice(0, 19)}Z`,
      epoch,
    ]),
  );
}

async function replay(stream: string, options: ReplayOptions, signal: AbortSignal): Promise<void> {
  const call = await relayCall(await relayTarget(options, signal), options, signal);
  const most = options.limit ?? Number.POSITIVE_INFINITY;
  const query = new URLSearchParams({ after: String(options.after), limit: String(Math.min(PAGE, most)) });
  if (options.epoch !== undefined) query.set('epoch', options.epoch);
  let printed = 0;
  for (;;) {
    const page = await call(`/relay/streams/${encodeURIComponent(stream)}/events?${query}`, Page).catch(
      (error: unknown) => {
        throw streamTrouble(error, stream);
      },
    );
    for (const event of page.events.slice(0, most - printed)) {
      console.log(options.json ? JSON.stringify({ stream, epoch: page.epoch, ...event }) : eventLine(stream, event));
      printed += 1;
    }
    if (page.continuation === undefined || printed >= most) break;
    query.set('continuation', page.continuation);
    query.set('epoch', page.epoch);
  }
  if (printed === 0 && !options.json) console.log('No events.');
}

/** Says what to do next about a stream that can't be read; other errors as they are. */
function streamTrouble(error: unknown, stream: string): unknown {
  if (!(error instanceof ApiCallError)) return error;
  const now = StreamNow.safeParse(error.details);
  switch (error.code) {
    case 'stream_not_found':
      return new RefusedError(`There is no stream ${stream}. List them with "npm run relay -- streams".`);
    case 'stream_reset':
      return new RefusedError(
        now.success
          ? `${stream} has epoch ${now.data.epoch} now, and its oldest event is ${now.data.oldest}: pass --after ${now.data.oldest - 1}, without another --epoch.`
          : error.message,
      );
    default:
      return error;
  }
}

const StreamNow = z.object({ epoch: z.string(), oldest: z.number() });
