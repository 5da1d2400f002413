import pMap from 'p-map';
import * as z from 'zod';
import type { MadeDevice, Person } from './bench-world.ts';

/** Commands that were given to a device by its owner, for requests to the routes of those who carry them. */
export interface BenchCommands {
  /** Is the device's next one. */
  readonly toCarry: string;
  /** Waits behind it. */
  readonly toCancel: string;
}

const Given = z.object({ command: z.object({ command_id: z.string() }) });
const AT_ONCE = 8;

/** @param post sends a request and returns its answer */
export function giveCommands(
  post: (path: string, by: Person, body: unknown) => Promise<unknown>,
  owned: readonly { readonly device: MadeDevice; readonly by: Person }[],
): Promise<readonly BenchCommands[]> {
  return pMap(
    owned,
    async ({ device: { serial }, by }) => {
      const give = async (key: string) => {
        const body = { command_key: `bench-${key}`, intent: { kind: 'clear_alarm' }, expires_in_seconds: 86_400 };
        return Given.parse(await post(`/devices/${serial}/commands`, by, body)).command.command_id;
      };
      return { toCarry: await give('carried'), toCancel: await give('cancelled') };
    },
    { concurrency: AT_ONCE },
  );
}
