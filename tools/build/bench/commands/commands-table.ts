import { textTable } from '../../../cli/terminal/text-table.ts';
import type { CommandsCost, Waited } from './measure-commands.ts';

/** Shows how long commands take from an owner's tap. */
export function commandsTable({ node, commands, written, done }: CommandsCost): string {
  const row = (name: string, { p50Ms, p95Ms }: Waited) => [name, `${p50Ms.toFixed(0)} ms`, `${p95Ms.toFixed(0)} ms`];
  return [
    `Node ${node}. ${commands} commands, water and stop in turn, through a hub; without the radio, whose time is virtual.`,
    '',
    textTable(
      ['from the tap until', 'median', '95 % within'],
      [row('the device accepted the write', written), row('valve or task was seen and judged', done)],
    ),
  ].join('\n');
}
