import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  CBOR_LENGTHS,
  type CborLengths,
  createProductFlash,
  FAULT_NAMES,
  type FaultKind,
  FIRMWARE_BEHAVIOURS,
  type FirmwareBehaviour,
  Garden,
  realTime,
  type SerialServer,
  SimulatedDevice,
  SMP_UDP_PORT,
  startSerialServer,
  startUdpServer,
  trustedKey,
  UPGRADE_MODES,
} from '@autowatering/firmware-sim';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { faults, gardenConsole } from './garden-console.ts';
import { hubCommand } from './hub/hub-command.ts';

const FIRMWARE = 'test/fixtures/firmware';
const CONSOLE_PORT = 1338;
const WATCH_MS = 100;

interface Options {
  readonly firmware: string;
  readonly key: string;
  readonly port: number;
  readonly consolePort: number;
  readonly cbor: CborLengths;
  readonly mode: keyof typeof UPGRADE_MODES;
  readonly selfTest: 'passes' | 'fails' | 'hangs';
  readonly confirmsItself: boolean;
  readonly preventDowngrade: boolean;
  readonly flashTimings: boolean;
  readonly garden: boolean;
  readonly firmwareBehaviour?: FirmwareBehaviour;
  readonly latitude?: number;
  readonly fault: readonly FaultKind[];
}

await runCommand((signal) =>
  new Command('npm run sim --')
    .description('Runs a simulated device for any mcumgr client, by SMP over UDP or on its serial console.')
    // Options behind "hub" are the hub's.
    .enablePositionalOptions()
    .addCommand(hubCommand(signal))
    .option('--firmware <file>', 'the factory firmware', path.join(FIRMWARE, 'autowatering-1.0.0.signed.bin'))
    .option('--key <file>', 'the public key that the bootloader trusts', path.join(FIRMWARE, 'dev-signing-key.pub.pem'))
    .option('--port <number>', 'UDP port on 127.0.0.1', portNumber, SMP_UDP_PORT)
    .option('--console-port <number>', 'TCP port of the serial console on 127.0.0.1', portNumber, CONSOLE_PORT)
    .addOption(
      new Option('--cbor <lengths>', "CBOR lengths in responses: the product's, or Zephyr's default")
        .choices(CBOR_LENGTHS)
        .default('definite'),
    )
    .addOption(
      new Option('--mode <mode>', 'how the bootloader installs an image')
        .choices(Object.keys(UPGRADE_MODES))
        .default('move'),
    )
    .addOption(
      new Option('--self-test <result>', 'result of the self-test of every later firmware')
        .choices(['passes', 'fails', 'hangs'])
        .default('passes'),
    )
    .option('--confirms-itself', 'new firmware confirms itself instead of waiting for the phone', false)
    .option('--prevent-downgrade', 'the bootloader refuses an older image', false)
    .option('--flash-timings', 'erase and write as slowly as the real flash chips', false)
    .option('--garden', 'the device waters a garden; its valves are shown here and on the console', false)
    .addOption(
      new Option(
        '--firmware-behaviour <behaviour>',
        'the faults of the firmware out there, or what it should do',
      ).choices(FIRMWARE_BEHAVIOURS),
    )
    .option('--latitude <degrees>', 'climate of the garden (default: 45)', latitude)
    .option('--fault <name[:zone]>', `what is wrong with the garden: ${FAULT_NAMES.join(', ')}`, faults, [])
    .addHelpText(
      'after',
      '\nExamples:\n  npm run sim\n  npm run sim -- --port 1339 --prevent-downgrade --flash-timings\n' +
        '  npm run sim -- --cbor indefinite      (a firmware without CONFIG_ZCBOR_CANONICAL)\n' +
        '  npm run sim -- hub                    (a hub that updates devices of the local stack)\n' +
        '  npm run sim -- --garden --fault valve_stuck_closed:2\n' +
        '  nc 127.0.0.1 1338                     (the console: try "help")\n' +
        '\nThen, with a client like mcumgr:\n  mcumgr --conntype udp --connstring=127.0.0.1:1337 image list\n' +
        '\nOr on a pseudo-terminal:\n  socat pty,raw,echo=0,link=./console tcp:127.0.0.1:1338 &\n' +
        '  mcumgr --conntype serial --connstring=dev=./console image list\n',
    )
    .action((options: Options) => simulate(options, signal)),
);

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new InvalidArgumentError('Expected a number from 0 to 65535.');
  return port;
}

function latitude(text: string): number {
  const degrees = Number(text);
  if (text.trim() === '' || !(Math.abs(degrees) <= 66)) throw new InvalidArgumentError('Expected −66 to 66.');
  return degrees;
}

async function simulate(options: Options, signal: AbortSignal): Promise<void> {
  const [firmware, key] = await Promise.all([readFile(options.firmware), readFile(options.key, 'utf8')]);
  const garden = makeGarden(options);
  const device = makeDevice(firmware, key, options, garden);
  if (!device.isRunning) {
    throw new PlainError(`${options.firmware} does not boot: it is not a valid image, or signed with another key.`);
  }
  const udp = await listen('UDP', options.port, '--port', (port) => startUdpServer(device, { port }));
  try {
    const { consolePort } = options;
    let terminal: SerialServer | undefined;
    const gardens =
      garden &&
      gardenConsole(garden, {
        now: () => garden.startsAt + realTime.now(),
        reboot: () => device.reset(),
        print(line) {
          console.log(line);
          terminal?.print(line);
        },
      });
    const onText = (line: string) => gardens?.command(line);
    const serial = await listen('TCP', consolePort, '--console-port', (port) =>
      startSerialServer(device, { port, onText }),
    );
    terminal = serial;
    const where = `SMP over UDP on 127.0.0.1:${udp.port}, console on TCP port ${serial.port}`;
    console.log(
      `Running ${device.runningVersion}; ${where}; responses in ${options.cbor}-length CBOR.\nPress Ctrl-C to stop.`,
    );
    const watch = tellBoots(device);
    const tick = setInterval(() => gardens?.look(), WATCH_MS);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    clearInterval(watch);
    clearInterval(tick);
    await serial.stop();
  } finally {
    await udp.stop();
  }
}

function makeGarden({ garden, firmwareBehaviour, latitude: at, fault }: Options): Garden | undefined {
  if (!garden && firmwareBehaviour === undefined && at === undefined && fault.length === 0) return undefined;
  // The device's clock began with this process.
  const startsAt = Date.now() - realTime.now();
  return new Garden({
    ...{ startsAt, seed: 1, behaviour: firmwareBehaviour ?? 'as-is', latitude: at ?? 45 },
    faults: fault.map((one) => ({ ...one, from: startsAt, until: Number.POSITIVE_INFINITY })),
  });
}

function makeDevice(firmware: Uint8Array, key: string, options: Options, garden?: Garden): SimulatedDevice {
  const { cbor, mode, selfTest, confirmsItself, preventDowngrade, flashTimings } = options;
  let factory: string | undefined;
  return new SimulatedDevice({
    ...{ firmware, keys: [trustedKey(key)], cbor, mode: UPGRADE_MODES[mode] },
    ...(garden && { garden }),
    flash: createProductFlash({ timed: flashTimings }),
    preventDowngrade: preventDowngrade ? 'version' : false,
    application({ hash }) {
      const name = Buffer.from(hash).toString('hex');
      factory ??= name;
      return { ...(name !== factory && { selfTest }), ...(confirmsItself && { confirms: 'itself' }) };
    },
  });
}

function tellBoots(device: SimulatedDevice): NodeJS.Timeout {
  let { boots } = device;
  return setInterval(() => {
    if (device.boots === boots) return;
    boots = device.boots;
    const { swapped = 'none', refused, resumed } = device.lastBoot ?? {};
    const reason = device.bootLog.records.at(-1)?.reason.replace('_', ' ');
    const done = swapped === 'none' ? 'no swap' : `swap: ${swapped}${resumed === true ? ', resumed' : ''}`;
    const what = refused === undefined ? done : `refused: ${refused}`;
    console.log(`Boot ${boots} (${reason}): ${what}; ${device.runningVersion ?? `not running: ${device.state}`}`);
  }, WATCH_MS);
}

async function listen<T>(kind: string, port: number, flag: string, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(port);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new PlainError(`${kind} port ${port} is in use. Choose another one with ${flag}; 0 picks a free one.`);
  }
}
