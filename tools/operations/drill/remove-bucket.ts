import type { ListObjectVersionsCommandOutput, ObjectIdentifier, S3 } from '@aws-sdk/client-s3';
import { PlainError } from '../../cli/plain-error.ts';

/** Counts all object versions and delete markers. Markers count because keys of users' objects contain their ids. */
export async function countVersions(s3: S3, bucket: string): Promise<number> {
  let count = 0;
  for await (const page of versionsOf(s3, bucket)) count += page.length;
  return count;
}

/** Removes a bucket with all versions of its objects, including firmware locked in governance mode. */
export async function removeBucket(s3: S3, bucket: string): Promise<void> {
  const lock = (await isLockable(s3, bucket)) ? { BypassGovernanceRetention: true } : {};
  // Always the first page: the marker of a previous page would name a deleted object.
  for (;;) {
    const page = await firstVersions(s3, bucket);
    if (page.length === 0) break;
    const { Errors: errors = [] } = await s3.deleteObjects({
      ...{ Bucket: bucket, Delete: { Objects: page, Quiet: true } },
      ...lock,
    });
    const [first] = errors;
    if (first !== undefined) {
      throw new PlainError(`${errors.length} objects of ${bucket} were not removed: ${first.Code} ${first.Message}`);
    }
  }
  await s3.deleteBucket({ Bucket: bucket });
}

async function firstVersions(s3: S3, bucket: string): Promise<ObjectIdentifier[]> {
  for await (const page of versionsOf(s3, bucket)) return page;
  return [];
}

async function* versionsOf(s3: S3, bucket: string): AsyncGenerator<ObjectIdentifier[]> {
  let page: ListObjectVersionsCommandOutput | undefined;
  do {
    page = await s3.listObjectVersions({
      Bucket: bucket,
      KeyMarker: page?.NextKeyMarker,
      VersionIdMarker: page?.NextVersionIdMarker,
    });
    yield [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])].map(({ Key: key, VersionId: version }) => ({
      Key: key,
      VersionId: version,
    }));
  } while (page.IsTruncated === true);
}

async function isLockable(s3: S3, bucket: string): Promise<boolean> {
  try {
    const { ObjectLockConfiguration: lock } = await s3.getObjectLockConfiguration({ Bucket: bucket });
    return lock?.ObjectLockEnabled === 'Enabled';
  } catch (error) {
    if (error instanceof Error && error.name === 'ObjectLockConfigurationNotFoundError') return false;
    throw error;
  }
}
