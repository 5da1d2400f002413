import pMap from 'p-map';
import { createApart } from '../platform/jobs/apart.ts';
import type { Services } from '../platform/services.ts';
import type { Commands } from './commands.ts';
import type { DueStore } from './store/due-store.ts';

const AT_ONCE = 5;

/**
 * Ends what nobody carried in time, and makes sure that peers and owner were told of every end, although nobody asks. A
 * command that is open is watched by somebody, and one that could not be told keeps its reminder: the next run looks again.
 * A device whose queue can't be read does not hold up the others.
 */
export async function runExpiry(
  services: Pick<Services, 'log'>,
  { commands, due }: { readonly commands: Commands; readonly due: DueStore },
  now: number,
  signal: AbortSignal,
) {
  const apart = createApart(services, 'A command that expired could not be ended');
  const counts = { open: 0, ended: 0, untold: 0 };
  for await (const page of due.list(now)) {
    await pMap(
      page,
      async ({ owner, commandId, expiresAt }) => {
        if (signal.aborted) return;
        const concluded = await apart.attempt({ serial: owner.serial }, () =>
          commands.conclude(owner, { commandId, expiresAt }),
        );
        if (concluded !== undefined) counts[concluded] += 1;
      },
      { concurrency: AT_ONCE },
    );
    if (signal.aborted) break;
  }
  apart.end();
  return counts;
}
