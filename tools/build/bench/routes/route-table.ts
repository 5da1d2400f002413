import { textTable } from '../../../cli/terminal/text-table.ts';
import { BASELINES } from '../baselines/baseline-handlers.ts';
import type { RouteCost, RouteCosts } from './measure-routes.ts';

/** Formats CPU per request, compared with the peer's if measured, DynamoDB units, and logged and response bytes. */
export function routeTable({ baselines, routes }: RouteCosts): string {
  const rows = routes.map((cost) => [
    cost.route,
    cost.statuses.join(' '),
    micro(cost.cpuMicroseconds),
    cost.peer === undefined ? '' : micro(cost.peer.cpuMicroseconds),
    cost.peer === undefined ? '' : `${(cost.peer.cpuMicroseconds / cost.cpuMicroseconds).toFixed(1)} ×`,
    (cost.cpuMicroseconds / baselines['hono-no-op'].cpuMicroseconds).toFixed(1),
    cost.ratios['hono-no-op'].toFixed(3),
    cost.ratios['get-item'].toFixed(2),
    ...units(cost),
    cost.loggedBytes.toFixed(0),
    cost.peer === undefined ? '' : cost.peer.loggedBytes.toFixed(0),
    cost.answerBytes.toFixed(0),
  ]);
  const head = [
    'route',
    'status',
    'CPU',
    'peer CPU',
    'less',
    'of Hono',
    'rate ÷ Hono',
    '÷ GetItem',
    'calls',
    'RRU',
    'WRU',
    'log B',
    'peer log B',
    'body B',
  ];
  const names = BASELINES.map((name) => `${name} ${micro(baselines[name].cpuMicroseconds)}`);
  return `CPU per request of the baselines: ${names.join(', ')}\n\n${textTable(head, rows)}`;
}

function units({ dynamoDb: { calls, readUnits, writeUnits } }: RouteCost): readonly string[] {
  return [String(calls), String(readUnits), String(writeUnits)];
}

function micro(microseconds: number): string {
  return `${microseconds.toFixed(microseconds < 10 ? 1 : 0)} µs`;
}
