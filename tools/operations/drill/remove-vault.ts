import { type Backup, paginateListRecoveryPointsByBackupVault } from '@aws-sdk/client-backup';

/** Removes a backup vault with its backups. Copies in other vaults are kept. */
export async function removeVault(backup: Backup, name: string): Promise<void> {
  for await (const { RecoveryPoints: points = [] } of paginateListRecoveryPointsByBackupVault(
    { client: backup },
    { BackupVaultName: name },
  )) {
    for (const { RecoveryPointArn: arn } of points) {
      await backup.deleteRecoveryPoint({ BackupVaultName: name, RecoveryPointArn: arn });
    }
  }
  await backup.deleteBackupVault({ BackupVaultName: name });
}
