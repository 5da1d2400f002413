import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { SimulatedDevice, SMP_UDP_PORT, startUdpServer, trustedKey } from '../firmware-sim/index.ts';
import { PlainError } from './cli/plain-error.ts';
import { runCommand } from './cli/run-command.ts';

const FIRMWARE = 'test/fixtures/firmware';
const WATCH_MS = 100;

interface Options {
  readonly firmware: string;
  readonly key: string;
  readonly port: number;
  readonly confirmsItself: boolean;
  readonly preventDowngrade: boolean;
}

await runCommand((signal) =>
  new Command('npm run sim --')
    .description('Runs one simulated device that any mcumgr client can reach by SMP over UDP.')
    .option(
      '--firmware <file>',
      'the image it left the factory with',
      path.join(FIRMWARE, 'autowatering-1.0.0.signed.bin'),
    )
    .option('--key <file>', 'the public key its bootloader trusts', path.join(FIRMWARE, 'dev-signing-key.pub.pem'))
    .option('--port <number>', 'UDP port on 127.0.0.1', portNumber, SMP_UDP_PORT)
    .option('--confirms-itself', 'a new firmware confirms itself and does not wait for the phone', false)
    .option('--prevent-downgrade', 'the bootloader refuses an older image', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run sim\n  npm run sim -- --port 1338 --prevent-downgrade\n' +
        '\nThen, with a client like mcumgr:\n  mcumgr --conntype udp --connstring=127.0.0.1:1337 image list\n',
    )
    .action((options: Options) => simulate(options, signal)),
);

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('a number from 0 to 65535');
  return port;
}

async function simulate(options: Options, signal: AbortSignal): Promise<void> {
  const [firmware, key] = await Promise.all([readFile(options.firmware), readFile(options.key, 'utf8')]);
  const { confirmsItself, preventDowngrade } = options;
  const device = new SimulatedDevice({ firmware, keys: [trustedKey(key)], confirmsItself, preventDowngrade });
  if (!device.isRunning) {
    throw new PlainError(`${options.firmware} does not boot: it is no valid image, or signed with another key.`);
  }
  const server = await listen(device, options.port);
  console.log(`Running ${device.runningVersion}; SMP over UDP on 127.0.0.1:${server.port}. Ctrl-C stops it.`);
  let boots = device.boots;
  const watch = setInterval(() => {
    if (device.boots === boots) return;
    boots = device.boots;
    const { swapped, refused } = device.lastBoot;
    const what = refused === undefined ? (swapped === 'none' ? 'no swap' : `swap: ${swapped}`) : `refused: ${refused}`;
    console.log(`Boot ${boots}: ${what}; running ${device.runningVersion ?? 'nothing: it stays in the bootloader'}`);
  }, WATCH_MS);
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  clearInterval(watch);
  await server.stop();
}

async function listen(device: SimulatedDevice, port: number) {
  try {
    return await startUdpServer(device, { port });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error;
    throw new PlainError(`UDP port ${port} is in use. Choose another one with --port; 0 picks a free one.`);
  }
}
