import type { HwId, Uid } from '../platform/ids.ts';
import type { Command, CommandId } from './model/command.ts';

export interface TableKey {
  readonly partition: string;
  readonly record: string;
}

/** Partitions begin with the account. A uid is escaped, as “#” separates the parts. */
const account = (uid: Uid) => encodeURIComponent(uid);

export const accountPartition = (uid: Uid): string => account(uid);

/** A device's open commands: one item decides about all of them. */
export const queueKey = (uid: Uid, hwId: HwId): TableKey => ({
  partition: account(uid),
  record: `${QUEUE_PREFIX}${hwId}`,
});
export const QUEUE_PREFIX = 'commands#';

/** What the account allows its devices to be told. */
export const settingsKey = (uid: Uid): TableKey => ({ partition: account(uid), record: 'command-settings' });

/** A device's commands that have ended. */
export const endedPartition = (uid: Uid, hwId: HwId): string => `${account(uid)}#commands#${hwId}`;
export const endedKey = (uid: Uid, hwId: HwId, commandId: CommandId): TableKey => ({
  partition: endedPartition(uid, hwId),
  record: `${ENDED_PREFIX}${commandId}`,
});
export const ENDED_PREFIX = 'command#';

/** Finds an ended command by its client's name for it. */
export const commandKeyKey = (uid: Uid, hwId: HwId, commandKey: string): TableKey => ({
  partition: endedPartition(uid, hwId),
  record: `key#${commandKey}`,
});

/** By hour of expiry: whose end somebody has to tell. Removed when that is done; expires. */
export const duePartition = (hour: number): string => `commands-due#${hour}`;
export const dueKey = (uid: Uid, hwId: HwId, { commandId, expiresAt }: DueCommand): TableKey => ({
  partition: duePartition(hourOf(expiresAt)),
  record: `${dueTime(expiresAt)}#${account(uid)}#${hwId}#${commandId}`,
});

/** Sorts as numbers do. */
export const dueTime = (at: number): string => String(at).padStart(15, '0');

const HOUR_MS = 60 * 60 * 1000;
export const hourOf = (at: number): number => Math.floor(at / HOUR_MS);

type DueCommand = Pick<Command, 'commandId' | 'expiresAt'>;
