import { Command } from 'commander';
import pMap from 'p-map';
import { createReread } from '../../../src/telemetry/reread/reread.ts';
import { findTables, type TablePlaceOptions } from '../../cli/target/place.ts';
import { tableOptions } from '../../cli/target/place-options.ts';
import { progressDisplay } from '../../cli/terminal/progress-display.ts';
import { devicesWithTelemetry } from './devices.ts';
import { sdkDocuments } from './sdk-documents.ts';

interface Options extends TablePlaceOptions {
  readonly serial?: string;
  readonly all: boolean;
  readonly json: boolean;
}

const AT_ONCE = 4;

export function rereadCommand(signal: AbortSignal): Command {
  return tableOptions(new Command('reread'))
    .description(
      'Reads stored rows again with the present reader, and counts the roll-ups anew from them. Can be stopped and ' +
        'started again: what the present reader has read is passed over. Uploads go on meanwhile.',
    )
    .option('--serial <serial>', 'only this device')
    .option('--all', 'also what the present reader has read', false)
    .option('--json', 'JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run telemetry -- reread\n  npm run telemetry -- reread --env prod --yes\n',
    )
    .action((options: Options) => reread(options, signal));
}

async function reread(options: Options, signal: AbortSignal): Promise<void> {
  const place = await findTables(options, { changes: true });
  const rereadDevice = createReread({
    garden: place.tableName('garden'),
    documents: sdkDocuments(place.dynamo),
    randomness: { fraction: Math.random },
    now: Date.now,
  });
  const sum = { devices: 0, items: 0, changed: 0, months: 0 };
  const display = progressDisplay(options.json ? 'silent' : 'people');
  await display.during(`Rereading ${place.environment}`, () =>
    pMap(
      devicesWithTelemetry(place, options.serial),
      async ({ uid, hwId }) => {
        const { items, changed, months } = await rereadDevice(uid, hwId, options.all);
        sum.devices += 1;
        sum.items += items;
        sum.changed += changed;
        sum.months += months;
      },
      { concurrency: AT_ONCE, signal },
    ),
  );
  if (options.json) console.log(JSON.stringify(sum));
  else
    console.log(
      `${sum.devices} devices: of ${sum.items} items, ${sum.changed} were written anew, among them ${sum.months} months.`,
    );
}
