import { setMaxListeners } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';
import { runCommand } from '../../cli/run-command.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { benchSimulator, type SimulatorResult } from './simulator.ts';

await runCommand((signal) =>
  new Command('npm run bench:sim --')
    .description('Measures updates of simulated devices with 720 KB, in simulated and real time, and whole fleets.')
    .option('--devices <sizes>', 'fleet sizes, separated by commas', sizes, [1_000, 10_000])
    .option('--json', 'prints JSON', false)
    .addHelpText('after', '\nExamples:\n  npm run bench:sim\n  npm run bench:sim -- --devices 100 --json\n')
    .action(async ({ devices, json }: { devices: readonly number[]; json: boolean }) => {
      setMaxListeners(0, signal);
      const result = await benchSimulator(devices, signal, (step) => {
        if (!json) console.error(`… ${step}`);
      });
      console.log(json ? JSON.stringify(result, null, 2) : resultText(result));
    }),
);

function sizes(text: string): readonly number[] {
  const all = text.split(',').map(Number);
  if (all.some((one) => !Number.isInteger(one) || one < 1))
    throw new InvalidArgumentError('must be whole numbers, such as 1000,10000');
  return all;
}

function resultText({ node, imageBytes, hashMs, updates, fleets }: SimulatorResult): string {
  const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;
  const kilobytes = (bytes: number) => `${(bytes / 1_024).toFixed(1)} KB`;
  return [
    `Node ${node}. An image of ${imageBytes} bytes over a clean link of 15 ms; its hash takes ${hashMs.toFixed(2)} ms.`,
    '',
    textTable(
      ['MTU', 'upload', 'bytes/s', 'of the link', 'whole update with flash', 'CPU', 'in hashes'],
      updates.map((one) => [
        ...[String(one.mtu), seconds(one.uploadMs), one.bytesPerSecond.toFixed(0)],
        ...[`${(100 * one.linkShare).toFixed(1)} %`, seconds(one.updateWithFlashMs)],
        ...[`${one.cpuMs.toFixed(0)} ms`, one.hashes.toFixed(0)],
      ]),
    ),
    '',
    textTable(
      ['devices', 'wall time', 'updates/s', 'memory, idle', 'memory, updated'],
      fleets.map((one) => [
        ...[String(one.devices), seconds(one.wallMs), one.perSecond.toFixed(0)],
        ...[kilobytes(one.idleBytes), kilobytes(one.updatedBytes)],
      ]),
    ),
  ].join('\n');
}
