import { textTable } from '../../../cli/terminal/text-table.ts';
import { BASELINES } from '../baselines/baseline-handlers.ts';
import type { RouteCost, RouteCosts } from './measure-routes.ts';

/** For people: CPU of a request, beside a peer's where one was measured, and what it writes and consumes. */
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
    'its CPU',
    'less',
    'of Hono',
    'rate by Hono',
    'by GetItem',
    'calls',
    'RRU',
    'WRU',
    'log B',
    'its',
    'answer B',
  ];
  const names = BASELINES.map((name) => `${name} ${micro(baselines[name].cpuMicroseconds)}`);
  return `CPU of a request to the baselines: ${names.join(', ')}\n\n${textTable(head, rows)}`;
}

function units({ dynamoDb: { calls, readUnits, writeUnits } }: RouteCost): readonly string[] {
  return [String(calls), String(readUnits), String(writeUnits)];
}

function micro(microseconds: number): string {
  return `${microseconds.toFixed(microseconds < 10 ? 1 : 0)} µs`;
}
