import { textTable } from '../../../cli/terminal/text-table.ts';
import type { JobsCost, JobWork } from './measure-jobs.ts';

/** Shows what work by time consumes. */
export function jobsTable({ node, devices, idleHour, lookOfADay, archiveOfFirstDay, archiveOfADay }: JobsCost): string {
  const row = (name: string, { calls, readUnits, writeUnits, cpuMicroseconds, puts, putBytes }: JobWork) => [
    ...[name, String(calls), String(readUnits), String(writeUnits), (cpuMicroseconds / 1_000).toFixed(0)],
    ...[String(puts), `${(putBytes / 1_000).toFixed(0)} KB`],
  ];
  return [
    `Node ${node}. The function for work by time, with ${devices} devices.`,
    '',
    textTable(
      ['', 'calls', 'read units', 'write units', 'CPU ms', 'files', 'stored'],
      [
        row('a quiet hour', idleHour),
        row('looking at a day', lookOfADay),
        row('archiving first syncs', archiveOfFirstDay),
        row('archiving a day', archiveOfADay),
      ],
    ),
  ].join('\n');
}
