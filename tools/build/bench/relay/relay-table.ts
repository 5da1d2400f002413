import { HEARTBEAT_SECONDS } from '@autowatering/relay-protocol';
import { textTable } from '../../../cli/terminal/text-table.ts';
import { priceList } from '../cost/price-list.ts';
import type { RelayCost, RelayWork } from './measure-relay.ts';
import { connectedMonth, workPrice } from './price.ts';

const MILLION = 1_000_000;

/**
 * Ably's list (May 2026, https://ably.com/docs/pub-sub/pricing and https://ably.com/docs/platform/pricing): 2.50 dollars
 * per million messages, 1.00 per million minutes of a connection or channel, beside the package's base price. An event
 * that is published, stored and received by one other peer is three messages.
 */
const ABLY = { message: 2.5 / MILLION, minute: 1 / MILLION, messagesPerEvent: 3 } as const;

/** Shows what the relay costs, by the price list, beside what another service of the job takes by its own. */
export function relayTable(cost: RelayCost): string {
  const { single, batched, heartbeat, coldStart } = cost;
  const prices = priceList();
  const works: readonly (readonly [string, RelayWork])[] = [
    ['single event', single],
    ['event in a frame of 20', batched],
    ['heartbeat', heartbeat],
  ];
  const workRows = works.map(([name, work]) => [
    name,
    ...[work.invocations, work.messagesOut, work.calls, work.readUnits, work.writeUnits].map((value) =>
      value.toFixed(2),
    ),
    `${(work.cpuMicroseconds / 1000).toFixed(2)} ms`,
    work.loggedBytes.toFixed(0),
  ]);
  const priceRows = works.map(([name, work]) => {
    const { dynamoDb, webSocket, lambda, logs, total } = workPrice(MILLION, work, prices);
    return [`a million: ${name}`, ...[dynamoDb, webSocket, lambda, logs, total].map(dollars)];
  });
  const month = 30 * 24 * 60;
  const { empty } = coldStart;
  return [
    `Node ${cost.node}. Two peers of an account online, one publishes. Acknowledgements of the receiver are included.`,
    '',
    textTable(
      ['work', 'invocations', 'messages out', 'calls', 'read units', 'write units', 'CPU', 'bytes logged'],
      workRows,
    ),
    '',
    textTable(['US dollars', 'DynamoDB', 'WebSocket', 'Lambda', 'logs', 'total'], priceRows),
    '',
    `A peer connected for a month: $${connectedMonth(heartbeat, HEARTBEAT_SECONDS, prices).toFixed(4)}.`,
    `Prices of ${prices.date}, ${prices.region}, at the first tiers.`,
    `Ably's list: $${(ABLY.messagesPerEvent * ABLY.message * MILLION).toFixed(2)} for a million events stored and received by one peer; ` +
      `$${(month * ABLY.minute).toFixed(4)} for a connected month.`,
    '',
    textTable(
      ['first event of a container', 'loaded', 'CPU beyond an empty handler', 'time beyond it'],
      coldStart.events.map(({ route, loadedBytes, answeredMs, cpuMs }) => [
        route,
        `${(loadedBytes / 1024).toFixed(0)} KB`,
        `${(cpuMs - empty.cpuMs).toFixed(0)} ms`,
        `${(answeredMs - empty.answeredMs).toFixed(0)} ms`,
      ]),
    ),
  ].join('\n');
}

const dollars = (amount: number) => amount.toFixed(2);
