import pMap from 'p-map';
import type { Commands } from './commands.ts';
import type { DueStore } from './store/due-store.ts';

const AT_ONCE = 5;

/**
 * Ends what nobody carried in time, and makes sure that peers and owner were told of every end, although nobody asks. A
 * command that is open is watched by somebody, and one that could not be told keeps its reminder: the next run looks again.
 */
export async function runExpiry(commands: Commands, due: DueStore, now: number, signal: AbortSignal) {
  const counts = { open: 0, ended: 0, untold: 0 };
  for await (const page of due.list(now)) {
    await pMap(
      page,
      async ({ owner, commandId, expiresAt }) => {
        if (signal.aborted) return;
        counts[await commands.conclude(owner, { commandId, expiresAt })] += 1;
      },
      { concurrency: AT_ONCE },
    );
    if (signal.aborted) break;
  }
  return counts;
}
