import { createHash } from 'node:crypto';
import type { Uid } from '../../platform/ids.ts';
import type { Services } from '../../platform/services.ts';

const UPLOAD_SECONDS = 600;
/** The form of `randomness.id()`; nothing else may become part of a key. */
const UPLOAD_ID = /^[0-9a-f-]{36}$/;

export interface UploadRequest {
  readonly sizeBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

/** Photos that are too large for a request and stay in the bucket for minutes. */
export interface ImageUploads {
  prepare(uid: Uid, request: UploadRequest): Promise<PreparedUpload>;
  /** Returns undefined for another user's upload as well. */
  read(uid: Uid, uploadId: string): Promise<Uint8Array | undefined>;
  remove(uid: Uid, uploadId: string): Promise<void>;
}

export interface PreparedUpload {
  readonly uploadId: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly expiresInSeconds: number;
}

type Needed = Pick<Services, 'objectLinks' | 'objectStore' | 'randomness'>;

export function createImageUploads({ objectLinks, objectStore, randomness }: Needed): ImageUploads {
  // A hash of the user's id: nobody can reach another user's photo, and leftovers identify nobody.
  const keyOf = (uid: Uid, uploadId: string) =>
    `uploads/${createHash('sha256').update(uid).digest('hex').slice(0, 32)}/${uploadId}`;

  return {
    async prepare(uid, { sizeBytes, sha256 }) {
      const uploadId = randomness.id();
      const { url, headers } = await objectLinks.upload(keyOf(uid, uploadId), sizeBytes, sha256, UPLOAD_SECONDS);
      return { uploadId, url, headers, expiresInSeconds: UPLOAD_SECONDS };
    },
    async read(uid, uploadId) {
      return UPLOAD_ID.test(uploadId) ? objectStore.read(keyOf(uid, uploadId)) : undefined;
    },
    async remove(uid, uploadId) {
      await objectStore.remove(keyOf(uid, uploadId));
    },
  };
}
