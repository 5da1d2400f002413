import { Command } from 'commander';
import { generate } from 'lean-qr';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { targetOptions } from '../../cli/target/admin-call.ts';
import { apiClient } from '../../cli/target/api-client.ts';
import { findTarget, type TargetOptions } from '../../cli/target/target.ts';

const Provisioned = z.looseObject({
  created: z.boolean(),
  hw_id: z.string(),
  serial: z.string(),
  thing_name: z.string(),
  status: z.string(),
  claim_code: z.string().optional(),
});
type Provisioned = z.output<typeof Provisioned>;

interface Options extends TargetOptions {
  readonly hwId: readonly string[];
  readonly status?: string;
  readonly metadata?: readonly string[];
  readonly publicKey?: string;
  readonly station: string;
  readonly json: boolean;
  readonly qr: boolean;
}

await runCommand((signal) =>
  targetOptions(new Command('npm run factory:provision --'), 'factory')
    .description('Assigns serials to devices and prints a label for each. If repeated, a device keeps its serial.')
    .requiredOption('--hw-id <id...>', 'hardware id of a device, 8 to 64 of 0-9 A-F : _ -; can be repeated')
    .option('--status <status>', 'factory_only or active (default: active)')
    .option('--metadata <key=value...>', 'metadata to store with the device, e.g. batch=2026-11')
    .option('--public-key <base64>', 'the device’s key, which signs its claims and updates; for a single --hw-id')
    .option('--station <name>', 'the station’s name in the audit trail', 'factory-tool')
    .option('--json', 'one JSON object per line, for machines', false)
    .option('--no-qr', 'print labels without a QR code')
    .addHelpText(
      'after',
      '\nExamples:\n  npm run factory:provision -- --hw-id AA:BB:CC:DD:EE:01\n' +
        '  npm run factory:provision -- --hw-id AABBCCDD01 AABBCCDD02 --metadata batch=2026-11 --json\n',
    )
    .action((options: Options) => provision(options, signal)),
);

async function provision(options: Options, signal: AbortSignal): Promise<void> {
  if (options.publicKey !== undefined && options.hwId.length !== 1) {
    throw new PlainError('--public-key needs exactly one --hw-id.');
  }
  const metadata = Object.fromEntries((options.metadata ?? []).map(keyAndValue));
  const target = await findTarget(options, { changes: true, signal });
  const token = await target.token('factoryToken');
  const call = apiClient(target.apiBaseUrl, signal);
  for (const hwId of options.hwId) {
    const device = await call('/provision', Provisioned, {
      method: 'POST',
      headers: { 'x-factory-token': token, 'x-factory-station': options.station },
      body: {
        hw_id: hwId,
        metadata,
        ...(options.status === undefined ? {} : { status: options.status }),
        ...(options.publicKey === undefined ? {} : { public_key: options.publicKey }),
      },
    });
    console.log(options.json ? JSON.stringify(device) : label(device, options.qr));
  }
}

function keyAndValue(pair: string): readonly [string, string] {
  const at = pair.indexOf('=');
  if (at < 1) throw new PlainError(`--metadata takes key=value, not “${pair}”.`);
  return [pair.slice(0, at), pair.slice(at + 1)];
}

function label(device: Provisioned, withQr: boolean): string {
  const code = device.claim_code;
  const lines = [
    `Serial      ${device.serial}`,
    `Claim code  ${code === undefined ? '(shown only once, when the device was new)' : grouped(code)}`,
    `Hardware    ${device.hw_id}`,
    `Status      ${device.status}${device.created ? '' : ', already known'}`,
  ];
  if (withQr && code !== undefined) {
    const link = `autowatering://claim?serial=${device.serial}&code=${encodeURIComponent(code)}`;
    lines.push('', generate(link).toString({ on: '██', off: '  ', padX: 2, padY: 1 }));
  }
  return `${lines.join('\n')}\n`;
}

function grouped(code: string): string {
  return `${code.slice(0, 5)}-${code.slice(5)}`;
}
