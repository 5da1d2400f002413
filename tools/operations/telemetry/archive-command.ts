import { paginateQuery } from '@aws-sdk/client-dynamodb';
import { paginateListObjectsV2 } from '@aws-sdk/client-s3';
import { marshall } from '@aws-sdk/util-dynamodb';
import { Command } from 'commander';
import { findPlace, type Place, type PlaceOptions } from '../../cli/target/place.ts';
import { placeOptions } from '../../cli/target/place-options.ts';
import { textTable } from '../../cli/terminal/text-table.ts';

interface Options extends PlaceOptions {
  readonly json: boolean;
}

export function archiveCommand(): Command {
  return placeOptions(new Command('archive'))
    .description(
      'Lists the archive’s days with their files and bytes, and how many deleted accounts it has still to forget.',
    )
    .option('--json', 'JSON, for machines', false)
    .addHelpText('after', '\nExample:\n  npm run telemetry -- archive --env prod\n')
    .action(list);
}

async function list(options: Options): Promise<void> {
  const place = await findPlace(options, { changes: false });
  const days = new Map<string, { files: number; bytes: number }>();
  for await (const { Contents: objects = [] } of paginateListObjectsV2(
    { client: place.s3 },
    { Bucket: place.bucket, Prefix: 'archive/telemetry/' },
  )) {
    for (const { Key: key = '', Size: size = 0 } of objects) {
      const day = /\/day=([\d-]+)\//.exec(key)?.[1] ?? key;
      const { files, bytes } = days.get(day) ?? { files: 0, bytes: 0 };
      days.set(day, { files: files + 1, bytes: bytes + size });
    }
  }
  const erasures = await countErasures(place);
  const rows = [...days].sort(([one], [other]) => (one < other ? -1 : 1));
  if (options.json) {
    const listed = rows.map(([day, { files, bytes }]) => ({ day, files, bytes }));
    console.log(JSON.stringify({ days: listed, pending_erasures: erasures }));
    return;
  }
  console.log(
    textTable(
      ['day', 'files', 'bytes'],
      rows.map(([day, { files, bytes }]) => [day, String(files), String(bytes)]),
    ),
  );
  console.log(`${erasures} deleted accounts are still to be taken out of it.`);
}

async function countErasures(place: Place): Promise<number> {
  let count = 0;
  for await (const page of paginateQuery(
    { client: place.dynamo },
    {
      TableName: place.tableName('garden'),
      KeyConditionExpression: '#partition = :partition',
      ExpressionAttributeNames: { '#partition': 'partition' },
      ExpressionAttributeValues: marshall({ ':partition': 'archive-erasures' }),
      Select: 'COUNT',
    },
  )) {
    count += page.Count ?? 0;
  }
  return count;
}
