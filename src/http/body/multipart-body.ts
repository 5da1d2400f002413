import { getMultipartBoundary, MultipartParseError, parseMultipart } from '@remix-run/multipart-parser';
import type { UploadedFile } from '../define-route.ts';
import { ApiError } from '../errors.ts';
import type { IncomingRequest } from '../exchange.ts';
import { type BodyLimit, readBody } from './body-limit.ts';

export interface MultipartBody {
  readonly fields: Readonly<Record<string, string>>;
  readonly files: readonly UploadedFile[];
}

const MOST_PARTS = 16;

/**
 * Reads a form with files. The last value of a repeated field counts.
 *
 * @throws ApiError `unsupported_media_type` or `invalid_multipart`
 */
export async function readMultipartBody(request: IncomingRequest, limit: BodyLimit): Promise<MultipartBody> {
  const contentType = request.header('content-type');
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (type !== 'multipart/form-data') {
    throw new ApiError(
      'unsupported_media_type',
      'The app sent this in a form we can’t read. Please update the app and try again.',
      {
        details: { expected: 'Content-Type: multipart/form-data' },
      },
    );
  }
  const fields = new Map<string, string>();
  const files: UploadedFile[] = [];
  try {
    const boundary = getMultipartBoundary(contentType ?? '');
    if (!boundary) throw new MultipartParseError('The boundary is missing');
    const bytes = await readBody(request, limit);
    if (bytes.byteLength === 0) throw new MultipartParseError('There is no body');
    for (const part of parseMultipart(bytes, { boundary, maxFileSize: limit.bytes })) {
      const { name } = part;
      if (fields.size + files.length >= MOST_PARTS) throw badForm(`more than ${MOST_PARTS} parts`);
      if (name === undefined || name === '') throw badForm('a part without a name');
      if (part.isFile) files.push({ part: name, bytes: part.bytes });
      else fields.set(name, part.text);
    }
  } catch (error) {
    if (error instanceof MultipartParseError) {
      throw badForm('not well-formed', error);
    }
    // The parser decodes names and text lazily, and throws the platform's own error.
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw badForm('text that is not UTF-8', error);
    }
    throw error;
  }
  return { fields: Object.fromEntries(fields), files };
}

function badForm(fault: string, cause?: unknown): ApiError {
  return new ApiError('invalid_multipart', 'What the app sent arrived damaged. Please try again.', {
    details: { fault },
    cause,
  });
}
