import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  BleLink,
  deviceCommands,
  SimulatedDevice,
  SmpClient,
  trustedKey,
  VirtualTime,
} from '@autowatering/firmware-sim';
import { Command } from 'commander';
import * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { EXIT, runCommand } from '../../cli/run-command.ts';
import { type Stack, startStack } from '../local-stack/stack.ts';
import { factoryChapter, KEYED_HW_ID } from './factory-chapter.ts';
import { gardenChapter } from './garden-chapter.ts';
import { householdChapter } from './household-chapter.ts';
import { ownerChapter } from './owner-chapter.ts';
import { carryToDevice, type Garden, type Phone, resetDevice, updateByPhone } from './phone-chapter.ts';
import { runTool } from './run-tool.ts';
import { Story, StoryError } from './story.ts';
import { subscriberChapter } from './subscriber-chapter.ts';

const FIRMWARE = fileURLToPath(new URL('../../../test/fixtures/firmware/', import.meta.url));
const firmware = (name: string) => path.join(FIRMWARE, name);

const Stats = z.looseObject({ verified: z.number() });
const Changed = z.looseObject({ release: z.looseObject({ rollout_pct: z.number() }) });

await runCommand((signal) =>
  new Command('npm run demo --')
    .description(
      'Starts the whole product, walks through its main workflows with real MCUboot images, and stops everything.',
    )
    // Separate state, so that it neither needs nor touches the stack of "npm run dev".
    .option('--directory <path>', 'directory for state and logs; emptied at each start', '.local/demo')
    .addHelpText('after', '\nExample:\n  npm run demo\n')
    .action(async ({ directory }: { directory: string }) => {
      const story = new Story();
      console.log('AutoWatering: a device is provisioned, claimed and updated over the air.');
      const stack = await story.chapter('Local stack', () => startedStack(story, directory, signal));
      try {
        await tell(story, stack, directory, signal);
      } catch (error) {
        if (!(error instanceof StoryError)) throw error;
        console.error(error.message);
        process.exitCode = EXIT.failed;
        return;
      } finally {
        await stack.stop();
      }
      console.log(`\nTime per chapter\n${story.timetable()}\n\nEverything was stopped. Logs: ${directory}/logs`);
    }),
);

async function startedStack(story: Story, directory: string, signal: AbortSignal): Promise<Stack> {
  const stack = await startStack({
    directory,
    fresh: true,
    ownPorts: true,
    signal,
    onStep: (step) => story.fact(step),
  });
  story.fact(`the API is running at ${stack.info.apiBaseUrl}`);
  return stack;
}

async function tell(story: Story, stack: Stack, directory: string, signal: AbortSignal): Promise<void> {
  const { info } = stack;
  const ota = (...args: string[]) => runTool('ota', [...args, '--stack', directory, '--json'], signal);
  const publish = (name: string, ...args: string[]) => ota('publish', '--artifact-path', firmware(name), ...args);
  const factoryFirmware = await readFile(firmware('autowatering-1.0.0.signed.bin'));
  const newest = await readFile(firmware('autowatering-2.0.0.signed.bin'));
  const key = trustedKey(await readFile(firmware('dev-signing-key.pub.pem'), 'utf8'));
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const spki = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const made = await story.chapter('Factory', () => factoryChapter(story, directory, spki, signal));
  const time = new VirtualTime();
  const device = new SimulatedDevice({
    time,
    firmware: factoryFirmware,
    keys: [key],
    identity: { hwId: KEYED_HW_ID, privateKey },
  });
  const garden: Garden = { device, time };
  const owner = await story.chapter('Owner', () =>
    ownerChapter(
      story,
      info,
      made,
      (nonce) =>
        time.run(async () => {
          const client = new SmpClient(await new BleLink(device, { mtu: 247, time }).connect(), time);
          const proof = await deviceCommands(client).signClaim(nonce);
          client.close();
          return proof;
        }),
      signal,
    ),
  );

  await story.chapter('Subscriber', () => subscriberChapter(story, info, owner.idToken, signal));

  const phone: Phone = { story, stack: info, serial: made.serial, idToken: owner.idToken, signal };

  await story.chapter('Release engineer', async () => {
    await story.display.during('Publishing 1.1.0', () => publish('autowatering-1.1.0.signed.bin'));
    story.fact('1.1.0 is published: registered, uploaded by presigned URL, checked, released');
    const refusal = await refused(() => publish('wrong-key-1.2.0.signed.bin'));
    story.promise(/not registered for this board/.test(refusal), 'an image signed with an unknown key is refused');
  });
  await story.chapter('Phone updates to 1.1.0', () => update(phone, garden, '1.1.0.7', 40_000));
  await story.chapter('Release engineer again', async () => {
    const staged = ['--rollout-pct', '0', '--allowlist', made.serial];
    await story.display.during('Publishing 2.0.0', () => publish('autowatering-2.0.0.signed.bin', ...staged));
    story.fact(`2.0.0 is published, only for ${made.serial}`);
  });
  await story.chapter('Phone updates to 2.0.0 (720 KB)', () => update(phone, garden, '2.0.0', 300_000));
  await story.chapter('Rollout', async () => {
    const stats = Stats.parse(JSON.parse(await ota('stats', '2.0.0')));
    story.promise(stats.verified === 1, '2.0.0 runs on one device, confirmed by a signed receipt');
    const { release } = Changed.parse(JSON.parse(await ota('rollout', '2.0.0', '100')));
    story.promise(release.rollout_pct === 100, 'and is now offered to everyone');
  });
  await story.chapter('Household: two phones and a hub', () =>
    householdChapter({ ...{ story, signal, key, stack: info }, idToken: owner.idToken, firmware: factoryFirmware }),
  );
  await story.chapter('Garden: a leak', () =>
    // With the newest firmware there is nothing to update: that would restart the device, and its lock would be gone.
    gardenChapter({ ...{ story, signal, key, stack }, idToken: owner.idToken, firmware: newest }),
  );
  await story.chapter('Bad firmware', () => badFirmware(story, garden, signal));
  await story.chapter('Ops', async () => {
    const output = await runTool('smoke', ['--api-base-url', info.apiBaseUrl], signal);
    story.fact(output.trim().split('\n').at(-1) ?? '');
  });
}

/** Returns the error message of a command that has to fail. */
async function refused(attempt: () => Promise<unknown>): Promise<string> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof PlainError)) throw error;
    return error.message;
  }
  throw new StoryError('it was not refused');
}

async function update(phone: Phone, garden: Garden, running: string, dropAfter: number) {
  const { story } = phone;
  const outcome = await updateByPhone(phone, garden, dropAfter);
  if (outcome.outcome !== 'confirmed') throw new StoryError(`The update was not confirmed: ${outcome.outcome}`);
  story.fact(`uploaded, tested, swapped and confirmed`);
  story.promise(outcome.reconnects > 1, `the radio link dropped half-way and the upload resumed`);
  const { runningVersion } = garden.device;
  story.promise(runningVersion === running, `the device runs ${runningVersion}`);
  story.promise(outcome.isVerified, `each phase was reported, with a receipt signed by the device`);
}

async function badFirmware(story: Story, garden: Garden, signal: AbortSignal): Promise<void> {
  const { device } = garden;
  const before = device.runningVersion;
  const cases = {
    'bit-flip-1.2.0.signed.bin': 'a flipped bit',
    'wrong-key-1.2.0.signed.bin': 'an unknown signing key',
  };
  for (const [name, fault] of Object.entries(cases)) {
    const outcome = await carryToDevice({ story, signal }, garden, await readFile(firmware(name)), name);
    const refused = outcome.outcome === 'refused' && device.runningVersion === before;
    story.promise(refused, `${fault} is refused (${device.lastBoot?.refused}); the device still runs ${before}`);
  }
  const image = await readFile(firmware('autowatering-1.1.0.signed.bin'));
  const trial = await carryToDevice({ story, signal }, garden, image, 'an image that never confirms', {
    confirm: false,
  });
  story.promise(trial.outcome === 'unconfirmed', `it boots ${device.runningVersion} in test mode`);
  await resetDevice(garden);
  story.promise(device.runningVersion === before, `the next reset rolls it back: the device runs ${before} again`);
}
