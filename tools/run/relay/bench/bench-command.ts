import { Command, Option } from 'commander';
import { wholeNumberUpTo } from '../../../cli/terminal/number-arguments.ts';
import { progressDisplay } from '../../../cli/terminal/progress-display.ts';
import { textTable } from '../../../cli/terminal/text-table.ts';
import { WARM_UP_EVENTS } from './load-orders.ts';
import { MEASUREMENTS, type Measurement, measureSpeed, type RelaySpeed } from './measure-speed.ts';
import { requireOpenFiles } from './open-files.ts';

interface Options {
  readonly connections: number;
  readonly events: number;
  readonly accounts: number;
  readonly seconds: number;
  readonly warmUp: number;
  readonly batchAccounts: number;
  readonly replay: number;
  readonly only?: readonly Measurement[];
  readonly directory: string;
  readonly json: boolean;
}

/** How fast the relay is, as its peers see it. Its cost is a matter of `npm run bench -- --relay`. */
export function benchCommand(signal: AbortSignal): Command {
  return new Command('bench')
    .description(
      'Measures the relay on this machine, with a stack of its own: from publish to delivery, events a second, a ' +
        'replay, and the memory of a connection. For its cost and cold start: npm run bench -- --relay.',
    )
    .option('--connections <count>', 'peers to connect, two per account', wholeNumberUpTo(1_000_000), 10_000)
    .option('--events <count>', 'events for the time from publish to delivery', wholeNumberUpTo(100_000), 1_000)
    .option('--accounts <count>', 'accounts that publish single events', wholeNumberUpTo(10_000), 60)
    .option('--seconds <count>', 'how long they do', wholeNumberUpTo(3_600), 10)
    .option('--warm-up <seconds>', 'how long they do before that, uncounted', wholeNumberUpTo(3_600), 20)
    .option(
      '--batch-accounts <count>',
      'accounts that publish 80 events each in frames of 20',
      wholeNumberUpTo(10_000),
      300,
    )
    .option('--replay <events>', 'events to replay', wholeNumberUpTo(1_000_000), 10_000)
    .addOption(new Option('--only <measurements...>', 'only these').choices([...MEASUREMENTS]))
    .option('--directory <path>', "for the stack's files", '.local/bench/relay')
    .option('--json', 'JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run relay -- bench\n  npm run relay -- bench --only latency singles\n' +
        '  npm run relay -- bench --connections 500 --events 100 --accounts 20 --seconds 3 --warm-up 3 --batch-accounts 20 --replay 1000\n',
    )
    .action(async (options: Options) => {
      const only = new Set(options.only ?? MEASUREMENTS);
      if (only.has('connections')) requireOpenFiles(options.connections);
      const speed = await measureSpeed(
        {
          ...{ directory: options.directory, only, connections: options.connections, latencyEvents: options.events },
          ...{ singleAccounts: options.accounts, singleSeconds: options.seconds, warmUpSeconds: options.warmUp },
          ...{ batchAccounts: options.batchAccounts, replayEvents: options.replay },
        },
        progressDisplay(options.json ? 'silent' : 'people'),
        signal,
      );
      console.log(options.json ? JSON.stringify(speed) : speedTable(speed, options.warmUp));
    });
}

function speedTable({ latency, singles, batches, replay, connections }: RelaySpeed, warmUpSeconds: number): string {
  const rows = [
    ...(latency === undefined
      ? []
      : [
          [
            `publish to delivery, p50 of ${latency.events}, after ${WARM_UP_EVENTS} others`,
            `${latency.p50.toFixed(1)} ms`,
            '≤ 15 ms',
          ],
          ['the same, p99', `${latency.p99.toFixed(1)} ms`, '≤ 60 ms'],
        ]),
    ...(singles === undefined
      ? []
      : [
          [
            `single-event publishes, after ${warmUpSeconds} s of them`,
            `${singles.alone.perSecond.toFixed(0)}/s`,
            '≥ 300/s',
          ],
          ['the same, delivered to another peer', `${singles.delivered.perSecond.toFixed(0)}/s`, ''],
        ]),
    ...(batches === undefined ? [] : [['events in frames of 20', `${batches.perSecond.toFixed(0)}/s`, '≥ 3,000/s']]),
    ...(replay === undefined
      ? []
      : [[`replay of ${replay.events} events`, `${replay.seconds.toFixed(2)} s`, '≤ 2 s of 10,000']]),
    ...(connections === undefined
      ? []
      : [
          [`heap per connection, ${connections.peers} of them`, kilobytes(connections.heapBytes), '≤ 20 KB'],
          ['resident memory per connection', kilobytes(connections.rssBytes), ''],
          ['registering and connecting them', `${(connections.peers / connections.seconds).toFixed(0)}/s`, ''],
        ]),
  ];
  return textTable(['figure', 'now', 'target'], rows);
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}
