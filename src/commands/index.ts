import type { Uid } from '../platform/ids.ts';
import type { Job } from '../platform/jobs/job.ts';
import { once } from '../platform/once.ts';
import type { Services } from '../platform/services.ts';
import type { CommandRecords } from './store/account-commands.ts';
import type { Told } from './telling.ts';

export type { CommandRecords };

/** What an account's deletion and export do about commands. */
export interface CommandAccounts {
  /** Removes all commands of an account that is being deleted. Can be repeated after any failure. */
  remove(uid: Uid): Promise<void>;
  /** All commands of the last 90 days, with who did what, and the account's limits. */
  read(uid: Uid): Promise<CommandRecords>;
}

/** Loaded on first use: most requests of an account need nothing of the commands. */
export function commandAccounts(services: Services): CommandAccounts {
  const loaded = once(async () => {
    const { createAccountCommands } = await import('./store/account-commands.ts');
    return createAccountCommands(services);
  });
  return {
    remove: async (uid) => (await loaded()).remove(uid),
    read: async (uid) => (await loaded()).read(uid),
  };
}

/** Work that is done by time: commands that nobody carried end, and their owners are told. Loaded when it is due. */
export function commandExpiryJob(services: Services, told: Told): Job {
  const loaded = once(async () => {
    const [{ createCommandParts }, { runExpiry }] = await Promise.all([import('./parts.ts'), import('./expiry.ts')]);
    const parts = createCommandParts(services, told);
    return (now: number, signal: AbortSignal) => runExpiry(services, parts, now, signal);
  });
  return {
    name: 'command-expiry',
    when: { everyMs: EXPIRY_EVERY_MS },
    run: async (now, signal) => (await loaded())(now, signal),
  };
}

const EXPIRY_EVERY_MS = 5 * 60_000;
