import pMap from 'p-map';
import type { Commands } from './commands.ts';
import { isOpen } from './model/states.ts';
import type { DueStore } from './store/due-store.ts';

const AT_ONCE = 5;

/** Ends what nobody carried in time, and makes sure that the owner was told, although nobody asks. */
export async function runExpiry(commands: Commands, due: DueStore, now: number, signal: AbortSignal) {
  let [ended, watched] = [0, 0];
  for await (const page of due.list(now)) {
    await pMap(
      page,
      async ({ owner, commandId, expiresAt }) => {
        if (signal.aborted) return;
        const command = await commands.settle(owner, commandId);
        if (command !== undefined && isOpen(command.state)) {
          // Somebody watches the device at the moment: the next run looks again.
          watched += 1;
          return;
        }
        if (command !== undefined) await commands.tellAgain(owner, command);
        await due.remove(owner, { commandId, expiresAt });
        ended += 1;
      },
      { concurrency: AT_ONCE },
    );
    if (signal.aborted) break;
  }
  return { ended, watched };
}
