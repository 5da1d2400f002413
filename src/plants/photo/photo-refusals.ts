import { ApiError } from '../../http/errors.ts';
import type { PhotoFault } from './image/photo.ts';
import { LARGEST_IN_REQUEST_BYTES, LARGEST_UPLOAD_BYTES, MOST_PIXELS } from './image-limits.ts';

/** Error for a malformed form, which our app never sends. */
export function badPhoto(message: string): ApiError {
  return new ApiError('validation_failed', 'We did not get your photo. Please choose one photo and send it again.', {
    details: [{ in: 'body', field: 'image', message }],
  });
}

const IN_REQUEST_MB = LARGEST_IN_REQUEST_BYTES / 1024 / 1024;

/** Error for a photo that does not fit into a request; its details say where to upload it. */
export function tooLargeForARequest(): ApiError {
  return new ApiError(
    'payload_too_large',
    `This photo is too large to send this way. Please choose one of less than ${IN_REQUEST_MB} MB, or update the app.`,
    {
      details: {
        limit: LARGEST_IN_REQUEST_BYTES,
        uploadAt: 'POST /uploads/image',
        uploadLimit: LARGEST_UPLOAD_BYTES,
      },
    },
  );
}

const ACCEPTED = ['image/jpeg', 'image/png', 'image/webp', 'image/heic'];

/** Error for an unusable photo, with advice for the user. */
export function refusedPhoto(reason: PhotoFault): ApiError {
  switch (reason) {
    case 'no_image':
      return new ApiError(
        'unsupported_media_type',
        'This file is not a photo we can read. Please choose a JPEG, PNG, WebP or HEIC photo.',
        { details: { reason, accepted: ACCEPTED, uploadAt: 'POST /uploads/image' } },
      );
    case 'damaged':
      return new ApiError('unsupported_media_type', 'This photo is damaged or incomplete. Please take it again.', {
        details: { reason, accepted: ACCEPTED },
      });
    case 'too_slow':
      return new ApiError(
        'unsupported_media_type',
        'This HEIC photo takes too long to read. Please send it as a JPEG, or take it at a lower resolution.',
        { details: { reason, accepted: ACCEPTED } },
      );
    case 'too_many_pixels':
      return new ApiError(
        'payload_too_large',
        'This photo has more than 25 megapixels. Please take it again at a lower resolution.',
        { details: { reason, mostPixels: MOST_PIXELS } },
      );
  }
}
