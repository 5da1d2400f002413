import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { Command } from 'commander';
import { PlainError } from '../../cli/plain-error.ts';
import { findTables, type TablePlace, type TablePlaceOptions } from '../../cli/target/place.ts';
import { tableOptions } from '../../cli/target/place-options.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { type DeviceWithTelemetry, devicesWithTelemetry } from './devices.ts';

interface Options extends TablePlaceOptions {
  readonly json: boolean;
}

interface Held {
  readonly what: string;
  readonly items: number;
  readonly bytes: number;
  readonly readerVersions: readonly number[];
}

export function showCommand(): Command {
  return tableOptions(new Command('show'))
    .description(
      'Shows what is stored of a device’s telemetry, for each account that has any: kinds of items, how many and how large.',
    )
    .argument('<serial>', 'the device')
    .option('--json', 'JSON, for machines', false)
    .addHelpText('after', '\nExample:\n  npm run telemetry -- show 000042 --env prod\n')
    .action(show);
}

async function show(serial: string, options: Options): Promise<void> {
  const place = await findTables(options, { changes: false });
  const found: { readonly device: DeviceWithTelemetry; readonly held: readonly Held[] }[] = [];
  for await (const device of devicesWithTelemetry(place, serial)) {
    found.push({ device, held: await heldOf(place, device) });
  }
  if (found.length === 0) throw new PlainError(`There is no telemetry of ${serial}.`);
  if (options.json) {
    const shown = found.map(({ device: { uid, heardAt }, held }) => ({
      account: uid,
      heard_at: heardAt,
      held: held.map(({ readerVersions, ...one }) => ({ ...one, reader_versions: readerVersions })),
    }));
    console.log(JSON.stringify({ serial, accounts: shown }));
    return;
  }
  for (const { device, held } of found) {
    console.log(`Account ${device.uid}, last heard of ${new Date(device.heardAt).toISOString()}`);
    const rows = held.map(({ what, items, bytes, readerVersions }) => [
      ...[what, String(items), String(bytes)],
      readerVersions.join(', '),
    ]);
    console.log(textTable(['what', 'items', 'bytes', 'readers'], rows));
  }
}

async function heldOf(place: TablePlace, { uid, hwId }: DeviceWithTelemetry): Promise<readonly Held[]> {
  const held = new Map<string, Held>();
  const pages = paginateQuery(
    { client: place.dynamo },
    {
      TableName: place.tableName('garden'),
      KeyConditionExpression: '#partition = :partition',
      ExpressionAttributeNames: { '#partition': 'partition' },
      ExpressionAttributeValues: marshall({ ':partition': `${encodeURIComponent(uid)}#telemetry#${hwId}` }),
    },
  );
  for await (const { Items: items = [] } of pages) {
    for (const item of items.map((one) => unmarshall(one))) {
      const [what = ''] = String(item['record']).split('#');
      const { items: count, bytes, readerVersions } = held.get(what) ?? { items: 0, bytes: 0, readerVersions: [] };
      const data: unknown = item['data'];
      const version = Number(item['reader_version']);
      held.set(what, {
        ...{ what, items: count + 1, bytes: bytes + (data instanceof Uint8Array ? data.byteLength : 0) },
        readerVersions: [...new Set([...readerVersions, version])].sort((a, b) => a - b),
      });
    }
  }
  return [...held.values()];
}
