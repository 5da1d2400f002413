import { createHash } from 'node:crypto';
import type { UploadedFile } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import type { Uid } from '../../platform/ids.ts';
import type { PhotoToIdentify } from '../../platform/plant-providers/kindwise.ts';
import type { Services } from '../../platform/services.ts';
import { readPhoto } from './image/photo.ts';
import { LARGEST_IN_REQUEST_BYTES } from './image-limits.ts';
import type { ImageUploads } from './uploads.ts';

/** A photo that may go to a provider, and whose it is. */
export interface PhotoRequest {
  readonly uid: Uid;
  readonly photo: PhotoToIdentify;
  /** Of the photo as it goes out, in hex. */
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
  /** Removes an upload that has done its service; does nothing for a photo that came with the request. */
  readonly used: () => Promise<void>;
}

/**
 * Takes the photo out of the request or the bucket, and everything out of the photo that is not the picture.
 *
 * @throws ApiError `validation_failed`, `payload_too_large`, `unsupported_media_type` or `upload_not_found`
 */
export async function takePhoto(
  uploads: ImageUploads,
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
      // The answer is not lost over it: the bucket removes what was left after a day.
      caller.log.warn('A used photo could not be removed', {}, error);
    }
  };
  const outcome = readPhoto(await bytesOf(uploads, files, fields.upload_id, uid));
  if (!outcome.ok) {
    await used();
    throw refusal(outcome.reason);
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
  if (file !== undefined && uploadId !== undefined) throw badPhoto('either a photo or an upload_id');
  if (file === undefined && uploadId === undefined) throw badPhoto('a photo is needed, as a file');
  if (file !== undefined && file.part !== 'image')
    throw badPhoto(`the photo belongs into this part, not into “${file.part.slice(0, 40)}”`);
  if (file !== undefined) {
    if (file.bytes.byteLength > LARGEST_IN_REQUEST_BYTES) throw tooLarge();
    return file.bytes;
  }
  const bytes = await uploads.read(uid, uploadId ?? '');
  if (bytes === undefined)
    throw new ApiError('upload_not_found', 'This upload is not there any more. Please send the photo again.');
  return bytes;
}

/** Two decimals are about a kilometre: enough for the climate, too little for a garden. */
function roughly(degrees: number | undefined): number | undefined {
  return degrees === undefined ? undefined : Math.round(degrees * 100) / 100;
}

function badPhoto(message: string): ApiError {
  return new ApiError('validation_failed', `“image” is not valid: ${message}`, {
    details: [{ in: 'body', field: 'image', message }],
  });
}

function tooLarge(): ApiError {
  return new ApiError('payload_too_large', 'The photo is too large: 4 MB go through. Bigger ones are uploaded first.', {
    details: { limit: LARGEST_IN_REQUEST_BYTES, uploadAt: 'POST /uploads/image' },
  });
}

function refusal(reason: 'no_image' | 'damaged' | 'too_many_pixels'): ApiError {
  switch (reason) {
    case 'no_image':
      return new ApiError('unsupported_media_type', 'This is no photo that can be read: send a JPEG, PNG or WebP.');
    case 'damaged':
      return new ApiError('unsupported_media_type', 'The photo is damaged or incomplete. Please take it again.');
    case 'too_many_pixels':
      return new ApiError('payload_too_large', 'The photo has too many pixels: 25 megapixels are the most.');
  }
}
