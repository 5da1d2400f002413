import { createHash } from 'node:crypto';
import type { UploadedFile } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import type { Uid } from '../../platform/ids.ts';
import type { PhotoToIdentify } from '../../platform/plant-providers/kindwise.ts';
import type { Services } from '../../platform/services.ts';
import { isHeic, readHeic } from './image/heic.ts';
import { readPhoto } from './image/read-photo.ts';
import { LARGEST_IN_REQUEST_BYTES } from './image-limits.ts';
import { badPhoto, refusedPhoto, tooLargeForARequest } from './photo-refusals.ts';
import type { ImageUploads } from './uploads.ts';

/** A photo that may be sent to a provider, and its owner. */
export interface PhotoRequest {
  readonly uid: Uid;
  readonly photo: PhotoToIdentify;
  /** Of the photo as it is sent, in hex. */
  readonly photoHash: string;
  readonly signal: AbortSignal;
}

export interface PhotoFields {
  readonly upload_id?: string | undefined;
  readonly latitude?: number | undefined;
  readonly longitude?: number | undefined;
  readonly language?: string | undefined;
}

export interface IncomingPhoto {
  readonly request: PhotoRequest;
  /** Removes an upload that is no longer needed; does nothing for a photo sent with the request. */
  readonly used: () => Promise<void>;
}

export interface PhotoSources {
  readonly uploads: ImageUploads;
  readonly heicWorker: URL;
}

/**
 * Reads the photo from the request or the bucket and strips everything but the picture.
 *
 * @throws ApiError `validation_failed`, `payload_too_large`, `unsupported_media_type` or `upload_not_found`
 */
export async function takePhoto(
  { uploads, heicWorker }: PhotoSources,
  files: readonly UploadedFile[],
  fields: PhotoFields,
  caller: { readonly uid: Uid; readonly signal: AbortSignal; readonly log: Services['log'] },
): Promise<IncomingPhoto> {
  const { uid, signal } = caller;
  const used = async () => {
    if (fields.upload_id === undefined) return;
    try {
      await uploads.remove(uid, fields.upload_id);
    } catch (error) {
      // No reason to lose the answer: the bucket's lifecycle removes it after a day.
      caller.log.warn('Could not remove a used photo', {}, error);
    }
  };
  const original = await bytesOf(uploads, files, fields.upload_id, uid);
  const outcome = isHeic(original) ? await readHeic(original, heicWorker, signal) : readPhoto(original);
  if (!outcome.ok) {
    await used();
    throw refusedPhoto(outcome.reason);
  }
  const { bytes, type } = outcome.photo;
  const photo = {
    ...{ bytes, type, language: fields.language },
    latitude: roughly(fields.latitude),
    longitude: roughly(fields.longitude),
  };
  const photoHash = createHash('sha256').update(bytes).digest('hex');
  return { request: { uid, photo, photoHash, signal }, used };
}

async function bytesOf(
  uploads: ImageUploads,
  files: readonly UploadedFile[],
  uploadId: string | undefined,
  uid: Uid,
): Promise<Uint8Array> {
  const [file, another] = files;
  if (another !== undefined) throw badPhoto('one photo at a time');
  if (file !== undefined && uploadId !== undefined) throw badPhoto('either a file or an upload_id, not both');
  if (file !== undefined && file.part !== 'image') {
    throw badPhoto(`the photo belongs into this part, not into “${file.part.slice(0, 40)}”`);
  }
  if (file !== undefined) {
    if (file.bytes.byteLength > LARGEST_IN_REQUEST_BYTES) throw tooLargeForARequest();
    return file.bytes;
  }
  if (uploadId === undefined) throw badPhoto('a photo is needed, as a file, or an upload_id');
  const bytes = await uploads.read(uid, uploadId);
  if (bytes === undefined) {
    throw new ApiError('upload_not_found', 'This photo is no longer available. Please send it again.');
  }
  return bytes;
}

/** Two decimals are about a kilometre: precise enough for the climate, too coarse to find a garden. */
function roughly(degrees: number | undefined): number | undefined {
  return degrees === undefined ? undefined : Math.round(degrees * 100) / 100;
}
