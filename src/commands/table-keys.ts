import type { HwId, Uid } from '../platform/ids.ts';
import type { CommandId } from './model/command.ts';

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

const HOUR_MS = 60 * 60 * 1000;

/** By hour: which queues have to be looked at when, so that the owner is told of what expired. Expires. */
export const duePartition = (at: number): string => `commands-due#${Math.floor(at / HOUR_MS)}`;
export const dueKey = (uid: Uid, hwId: HwId, at: number): TableKey => ({
  partition: duePartition(at),
  record: `${String(at).padStart(15, '0')}#${account(uid)}#${hwId}`,
});
