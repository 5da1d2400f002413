import { setMaxListeners } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import {
  appsWithShipped,
  drawLot,
  FleetDevice,
  type FleetSummary,
  PagePool,
  runFleet,
  SHIPPED_APP_PERCENT,
  seededRandom,
  singleRelease,
  summarizeFleet,
  trustedKey,
  USUAL_MIX,
} from '@autowatering/firmware-sim';
import { Command, InvalidArgumentError } from 'commander';
import { bytesInUse } from '../../cli/heap.ts';
import { PlainError, RefusedError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { systemOptions } from '../../cli/target/system-options.ts';
import { findTarget, type TargetOptions } from '../../cli/target/target.ts';
import { type ProgressDisplay, progressDisplay } from '../../cli/terminal/progress-display.ts';
import { type FirmwareFile, readFirmware } from './firmware-file.ts';
import { fleetChart } from './fleet-chart.ts';
import { DEVICES_PER_OWNER, makeOnlineFleet, type OnlineDevice } from './online-fleet.ts';
import { ownerTokens } from './owner-tokens.ts';
import { PhaseBoard } from './phase-board.ts';
import { summaryText } from './summary-text.ts';
import { simulateYear } from './year/simulate-year.ts';

const FIRMWARE = 'test/fixtures/firmware';
/** Some devices of the newest batch come with the version that the others are updated to. */
const USUAL_FIRMWARE = ['1.0.0', '1.0.0', '1.0.0', '1.0.0', '1.1.0'].map((version) =>
  path.join(FIRMWARE, `autowatering-${version}.signed.bin`),
);
const SHOWN_EVERY_MS = 250;
const HOUR_MS = 60 * 60 * 1000;

interface Options extends Omit<TargetOptions, 'apiBaseUrl' | 'token'> {
  readonly devices: number;
  readonly api?: string | true;
  readonly tokens?: string;
  readonly firmware: readonly string[];
  readonly image: string;
  readonly key: string;
  readonly seed: number;
  readonly hours: number;
  readonly shippedApp: number;
  readonly atOnce: number;
  readonly report: string;
  readonly json: boolean;
  readonly days?: number;
  readonly sample: number;
}

await runCommand((signal) =>
  systemOptions(new Command('npm run sim:fleet --'))
    .description('Simulates a fleet whose owners update their devices, with realistic failures, and writes a report.')
    .option('--devices <count>', 'number of devices', wholeNumber, 1_000)
    .option('--api [url]', 'update from a backend: this URL, or the one selected by --env or --local')
    .option(
      '--tokens <file>',
      'file with the owners’ Cognito tokens, one per line (default: generated, for a local stack)',
    )
    .option('--firmware <file...>', 'factory firmware of the devices, in turns', USUAL_FIRMWARE)
    .option('--image <file>', 'the update, without a backend', path.join(FIRMWARE, 'autowatering-1.1.0.signed.bin'))
    .option('--key <file>', 'the public key that the bootloaders trust', path.join(FIRMWARE, 'dev-signing-key.pub.pem'))
    .option('--seed <number>', 'seed for phones, failures and losses; the same seed repeats the run', wholeNumber, 1)
    .option(
      '--hours <number>',
      'simulated time during which owners visit their devices',
      Number,
      USUAL_MIX.spanMs / HOUR_MS,
    )
    .option(
      '--shipped-app <percent>',
      'share of phones with the shipped app; the others have the simulator’s own',
      percentage,
      SHIPPED_APP_PERCENT,
    )
    .option('--at-once <count>', 'devices updated concurrently', wholeNumber, 32)
    .option('--report <directory>', 'directory for report.json and report.svg', '.local/sim-fleet')
    .option('--json', 'print the report as JSON, for machines', false)
    .option('--days <count>', 'instead of updates: gardens with planted faults, and phones that read them', wholeNumber)
    .option('--sample <count>', 'with --days and a backend: devices whose days are brought to it', wholeNumber, 20)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run sim:fleet\n  npm run sim:fleet -- --devices 10000 --seed 7\n' +
        '  npm run sim:fleet -- --shipped-app 100              (all phones have the shipped app)\n' +
        '  npm run sim:fleet -- --devices 200 --local          (with "npm run dev" and a published release)\n' +
        '  npm run sim:fleet -- --days 365                     (a year of gardens: watering, weather, faults)\n' +
        '  npm run sim:fleet -- --days 365 --local --sample 24 (and what the backend makes of 24 of them)\n',
    )
    .action((options: Options) => simulate(options, signal)),
);

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('Expected a whole number from 1.');
  return number;
}

function percentage(text: string): number {
  const percent = Number(text);
  if (text.trim() === '' || !(percent >= 0 && percent <= 100))
    throw new InvalidArgumentError('Expected a number from 0 to 100.');
  return percent;
}

async function simulate(options: Options, signal: AbortSignal): Promise<void> {
  const display = progressDisplay(options.json ? 'silent' : 'people');
  // Every device being updated adds several listeners.
  setMaxListeners(0, signal);
  if (options.days !== undefined) {
    const sample = isOnline(options) ? await onlineSample(options, display, signal) : undefined;
    await simulateYear({ ...options, days: options.days, sample }, display, signal);
    return;
  }
  const factory = await Promise.all(options.firmware.map(readFirmware));
  const online = isOnline(options) ? await onlineFleet(options, factory, display, signal) : undefined;
  const key = trustedKey(await readFile(options.key, 'utf8'));
  const bytesBefore = bytesInUse();
  const started = performance.now();
  const devices = makeDevices(options, factory, online, key);
  const idleBytesPerDevice = Math.round((bytesInUse() - bytesBefore) / devices.length);
  const offline = online === undefined ? singleRelease(await readFirmware(options.image)) : undefined;

  const board = new PhaseBoard(devices.length);
  const backends = new Map(online?.map(({ serial, backend }) => [serial, backend]));
  const records = await display.live(
    () => `${board}`,
    SHOWN_EVERY_MS,
    () =>
      runFleet(devices, {
        ...{ concurrency: options.atOnce, signal },
        backendOf(device) {
          const backend = backends.get(device.serial) ?? offline;
          if (backend === undefined) throw new Error(`${device.serial} has no backend`);
          return backend;
        },
        onPhase: (device, phase) => board.entered(device, phase),
        onDone: (device, record) => board.ended(device, record),
      }),
  );
  const wallMs = Math.round(performance.now() - started);
  const summary = summarizeFleet(records);
  const report = {
    seed: options.seed,
    online: online !== undefined,
    wallMs,
    idleBytesPerDevice,
    ...summary,
  };
  await writeReport(options.report, report, summary);
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else console.log(summaryText(summary, { wallMs, idleBytesPerDevice, seed: options.seed, directory: options.report }));
}

function isOnline({ api, env, local, stack }: Options): boolean {
  return api !== undefined || env !== undefined || local === true || stack !== undefined;
}

function makeDevices(
  { devices: count, seed, hours, shippedApp }: Options,
  factory: readonly FirmwareFile[],
  online: readonly OnlineDevice[] | undefined,
  key: ReturnType<typeof trustedKey>,
): readonly FleetDevice[] {
  const random = seededRandom(seed);
  const pool = new PagePool();
  const mix = { ...USUAL_MIX, profiles: appsWithShipped(shippedApp), spanMs: hours * HOUR_MS };
  return Array.from({ length: count }, (_, index) => {
    const known = online?.[index];
    const serial = known?.serial ?? String(index + 1).padStart(6, '0');
    const { image: firmware } = byTurns(factory, index);
    const identity = known === undefined ? {} : { identity: known.identity };
    const lot = drawLot(mix, random);
    return new FleetDevice({ ...{ serial, lot, seed: seed + index, pool, firmware, keys: [key] }, ...identity });
  });
}

async function onlineFleet(
  options: Options,
  factory: readonly FirmwareFile[],
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<readonly OnlineDevice[]> {
  const versions = Array.from({ length: options.devices }, (_, index) => byTurns(factory, index).version);
  return claimedFleet(options, versions, DEVICES_PER_OWNER, display, signal);
}

/** One owner for each device, because uploads are counted by account. */
async function onlineSample(options: Options, display: ProgressDisplay, signal: AbortSignal) {
  const versions = Array.from({ length: Math.min(options.sample, options.devices) }, () => '1.0.0');
  return claimedFleet(options, versions, 1, display, signal);
}

async function claimedFleet(
  { api, tokens, atOnce, ...place }: Options,
  versions: readonly string[],
  devicesPerOwner: number,
  display: ProgressDisplay,
  signal: AbortSignal,
): Promise<readonly OnlineDevice[]> {
  const count = versions.length;
  if (place.env === 'prod') throw new RefusedError('Simulated fleets are not allowed in prod.');
  const where = { ...place, ...(typeof api === 'string' && { apiBaseUrl: api }) };
  const target = await findTarget(where, { changes: true, signal });
  const { apiBaseUrl } = target;
  const factoryToken = await target.token('factoryToken');
  const idTokens = await ownerTokens(tokens, apiBaseUrl, Math.ceil(count / devicesPerOwner));
  let made = 0;
  return display.bar(`Provisioning and claiming ${count} devices`, count, (advanceTo) =>
    makeOnlineFleet({
      ...{ apiBaseUrl, factoryToken, idTokens, versions, devicesPerOwner, concurrency: atOnce, signal },
      onDevice: () => {
        made += 1;
        advanceTo(made);
      },
    }),
  );
}

function byTurns(factory: readonly FirmwareFile[], index: number): FirmwareFile {
  const firmware = factory[index % factory.length];
  if (firmware === undefined) throw new PlainError('The fleet needs a factory firmware: pass --firmware.');
  return firmware;
}

async function writeReport(directory: string, report: object, summary: FleetSummary): Promise<void> {
  await mkdir(directory, { recursive: true });
  const title = `${summary.devices} devices in ${Math.round(summary.simulatedMs / HOUR_MS)} hours`;
  await Promise.all([
    writeFile(path.join(directory, 'report.json'), `${JSON.stringify(report, null, 2)}\n`),
    writeFile(path.join(directory, 'report.svg'), fleetChart(summary, title)),
  ]);
}
