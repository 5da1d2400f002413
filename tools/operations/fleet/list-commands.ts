import { Command, Option } from 'commander';
import { stringify } from 'csv-stringify';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import type { TokenCall } from '../../cli/target/admin-call.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { deviceQuery, type FleetOptions, fleetCall, fleetOptions } from './fleet-options.ts';

const FleetDevice = z.object({
  serial: z.string(),
  hw_id: z.string(),
  status: z.string(),
  board: z.string(),
  batch: z.string().nullable(),
  firmware_version: z.string().nullable(),
  firmware_seen_at: z.string().nullable(),
  created_at: z.string(),
  updated_at: z.string(),
  claimed_at: z.string().nullable(),
  replaced_by: z.string().nullable(),
  has_public_key: z.boolean(),
});
type FleetDevice = z.output<typeof FleetDevice>;
const DevicePage = z.object({ devices: z.array(FleetDevice), next_cursor: z.string().optional() });

const AuditEntry = z.looseObject({
  action: z.string(),
  actor_uid: z.string(),
  timestamp: z.string(),
  reason: z.string().optional(),
});
const AuditPage = z.object({ audit_trail: z.array(AuditEntry), next_cursor: z.string().optional() });

const Summary = z.object({
  devices: z.number(),
  by_status: z.record(z.string(), z.number()),
  by_version: z.array(z.object({ board: z.string(), version: z.string(), devices: z.number() })),
  by_day: z.array(z.object({ day: z.string(), actions: z.record(z.string(), z.number()) })),
});

interface ListOptions extends FleetOptions {
  readonly status?: string;
  readonly batch?: string;
  readonly firmwareVersion?: string;
  readonly board?: string;
  readonly csv: boolean;
}

/** The commands that only read the fleet. */
export function listCommands(signal: AbortSignal): readonly Command[] {
  return [
    fleetOptions(new Command('list'))
      .description('Lists devices, in the order of their serials.')
      .addOption(
        new Option('--status <status>', 'only devices with this status').choices([
          'factory_only',
          'active',
          'claimed',
          'revoked',
        ]),
      )
      .option('--batch <name>', 'only devices of this batch')
      .option('--firmware-version <version>', 'only devices that run this version')
      .option('--board <name>', 'only devices with this board')
      .option('--csv', 'CSV, for spreadsheets', false)
      .addHelpText(
        'after',
        '\nExamples:\n  npm run fleet -- list --status revoked\n  npm run fleet -- list --batch 2026-11 --csv > batch.csv\n' +
          '  npm run fleet -- list --firmware-version 1.0.0 --json\n',
      )
      .action(async (options: ListOptions) => list(await fleetCall(options, signal), options)),
    fleetOptions(new Command('summary'))
      .description('Counts the fleet by status, version and day.')
      .option('--days <count>', 'number of days to include, 1 to 366', '30')
      .addHelpText('after', '\nExamples:\n  npm run fleet -- summary\n  npm run fleet -- summary --days 7 --json\n')
      .action(async (options: FleetOptions & { readonly days: string }) => {
        const call = await fleetCall(options, signal);
        const summary = await call(`/fleet/summary?days=${encodeURIComponent(options.days)}`, Summary);
        console.log(options.json ? JSON.stringify(summary) : summaryText(summary));
      }),
    fleetOptions(new Command('show'))
      .description('Shows one device.')
      .argument('<device>', 'its serial or hardware id')
      .addHelpText('after', '\nExample:\n  npm run fleet -- show 000123\n')
      .action(async (device: string, options: FleetOptions) => {
        const found = await findDevice(await fleetCall(options, signal), device);
        console.log(options.json ? JSON.stringify(found) : details(found));
      }),
    fleetOptions(new Command('audit'))
      .description('Shows the history of a device, newest first.')
      .argument('<device>', 'its serial or hardware id')
      .addHelpText(
        'after',
        '\nExamples:\n  npm run fleet -- audit 000123\n  npm run fleet -- audit AABBCCDD01 --json\n',
      )
      .action(async (device: string, options: FleetOptions) =>
        audit(await fleetCall(options, signal), device, options),
      ),
  ];
}

export async function findDevice(call: TokenCall, device: string): Promise<FleetDevice> {
  const { devices } = await call(`/fleet/devices?${deviceQuery(device)}`, DevicePage);
  const [found] = devices;
  if (found === undefined) throw new PlainError(`There is no device ${device}.`);
  return found;
}

const COLUMNS = [
  'serial',
  'hw_id',
  'status',
  'board',
  'batch',
  'firmware_version',
  'claimed_at',
  'updated_at',
] as const;
const CSV_COLUMNS = Object.keys(FleetDevice.shape);

async function list(call: TokenCall, options: ListOptions): Promise<void> {
  const query = new URLSearchParams({ limit: '100' });
  const filters = {
    status: options.status,
    batch: options.batch,
    firmware_version: options.firmwareVersion,
    board: options.board,
  };
  for (const [name, value] of Object.entries(filters)) if (value !== undefined) query.set(name, value);
  // CSV and JSON are written row by row: a fleet may be too large to hold in memory.
  const csv = options.csv ? stringify({ header: true, columns: CSV_COLUMNS, cast: { boolean: String } }) : undefined;
  csv?.pipe(process.stdout, { end: false });
  const rows: string[][] = [];
  for (;;) {
    const page = await call(`/fleet/devices?${query}`, DevicePage);
    for (const device of page.devices) {
      if (csv !== undefined) csv.write(device);
      else if (options.json) console.log(JSON.stringify(device));
      else rows.push(COLUMNS.map((column) => device[column] ?? '–'));
    }
    if (page.next_cursor === undefined) break;
    query.set('cursor', page.next_cursor);
  }
  if (csv !== undefined) {
    await new Promise((resolve) => csv.end(() => resolve(undefined)));
    return;
  }
  if (options.json) return;
  console.log(rows.length === 0 ? 'No devices found.' : textTable([...COLUMNS], rows));
  if (rows.length > 0) console.log(`${rows.length} devices`);
}

function details(device: FleetDevice): string {
  return Object.entries(device)
    .map(([name, value]) => `${name.replaceAll('_', ' ').padEnd(18)}${value ?? '–'}`)
    .join('\n');
}

async function audit(call: TokenCall, device: string, options: FleetOptions): Promise<void> {
  const { hw_id: hwId } = await findDevice(call, device);
  let cursor = '';
  do {
    const path = `/deviceAudit?hw_id=${encodeURIComponent(hwId)}&limit=100${cursor}`;
    const page = await call(path, AuditPage);
    for (const entry of page.audit_trail) {
      const { action, actor_uid: actor, timestamp, reason } = entry;
      const why = reason === undefined ? '' : `: ${reason}`;
      console.log(
        options.json ? JSON.stringify(entry) : `${timestamp.slice(0, 19)}Z  ${action.padEnd(20)} ${actor}${why}`,
      );
    }
    cursor = page.next_cursor === undefined ? '' : `&cursor=${page.next_cursor}`;
  } while (cursor !== '');
}

function summaryText(summary: z.output<typeof Summary>): string {
  const statuses = Object.entries(summary.by_status).map(([status, count]) => [status, String(count)]);
  const versions = summary.by_version.map(({ board, version, devices }) => [board, version, String(devices)]);
  const days = summary.by_day.map(({ day, actions }) => [
    day,
    Object.entries(actions)
      .map(([action, count]) => `${count} ${action}`)
      .join(', '),
  ]);
  const part = (title: string, head: readonly string[], rows: readonly (readonly string[])[]) =>
    rows.length === 0 ? [] : ['', title, textTable(head, rows).replace(/^/gm, '  ')];
  return [
    `${summary.devices} devices`,
    ...part('By status', ['status', 'devices'], statuses),
    ...part('By version', ['board', 'version', 'devices'], versions),
    ...part('By day (UTC)', ['day', 'actions'], days),
  ].join('\n');
}
