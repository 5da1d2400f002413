import * as z from 'zod';
import { runTool } from './run-tool.ts';
import { type Story, StoryError } from './story.ts';

const Line = z.object({
  hw_id: z.string(),
  serial: z.string(),
  created: z.boolean(),
  claim_code: z.string().optional(),
});
export type MadeDevice = z.output<typeof Line>;

const STATIONS = 4;
export const KEYED_HW_ID = 'C0:FF:EE:00:00:05';

/**
 * Provisions three devices, which keep their serials when provisioned again; then others at four stations at once,
 * without duplicate serials; and finally a device with its own key.
 *
 * @param publicKey of the device with a key, in base64
 */
export async function factoryChapter(
  story: Story,
  stack: string,
  publicKey: string,
  signal: AbortSignal,
): Promise<MadeDevice> {
  const provision = async (hwIds: readonly string[]): Promise<MadeDevice[]> => {
    const output = await runTool('factory:provision', ['--stack', stack, '--json', '--hw-id', ...hwIds], signal);
    return output
      .trim()
      .split('\n')
      .map((line) => Line.parse(JSON.parse(line)));
  };
  const hwIds = ['C0:FF:EE:00:00:01', 'C0:FF:EE:00:00:02', 'C0:FF:EE:00:00:03'];
  const devices = await story.display.during('Provisioning three devices', () => provision(hwIds));
  story.promise(new Set(devices.map(({ serial }) => serial)).size === 3, `serials ${serials(devices)}`);

  const shared = Array.from({ length: 3 }, (_, i) => `C0:FF:EE:00:01:0${i}`);
  const [again, ...stations] = await story.display.during(
    `Provisioning them again, and at ${STATIONS} stations at once`,
    () =>
      Promise.all([
        provision(hwIds),
        ...Array.from({ length: STATIONS }, (_, station) => provision([...shared, `C0:FF:EE:00:02:0${station}`])),
      ]),
  );
  story.promise(serials(again) === serials(devices), 'provisioned again: the same serials');
  const bySerial = new Map<string, string>();
  for (const { serial, hw_id: hwId } of [...devices, ...stations.flat()]) {
    const other = bySerial.get(serial);
    if (other !== undefined && other !== hwId) throw new StoryError(`serial ${serial} was assigned twice`);
    bySerial.set(serial, hwId);
  }
  story.promise(new Set(bySerial.values()).size === bySerial.size, `${bySerial.size} devices, no duplicate serials`);
  const label = await runTool('factory:provision', ['--stack', stack, '--hw-id', 'C0:FF:EE:00:00:04'], signal);
  console.log(label);
  const keyed = ['--json', '--hw-id', KEYED_HW_ID, '--public-key', publicKey, '--station', 'line-1'];
  const made = Line.parse(JSON.parse(await runTool('factory:provision', ['--stack', stack, ...keyed], signal)));
  story.fact(`${made.serial} has its own key; the factory has registered the public part`);
  return made;
}

function serials(devices: readonly MadeDevice[]): string {
  return devices.map(({ serial }) => serial).join(', ');
}
