import { MultipartParseError, parseMultipartRequest } from '@remix-run/multipart-parser';
import type { UploadedFile } from './define-route.ts';
import { ApiError } from './errors.ts';

export interface MultipartBody {
  readonly fields: Readonly<Record<string, string>>;
  readonly files: readonly UploadedFile[];
}

const MOST_PARTS = 16;

/**
 * Reads a form with files. Its size is bounded by the route's body limit before this sees it; a field given twice keeps
 * its last value.
 *
 * @throws ApiError `unsupported_media_type` or `invalid_multipart`
 */
export async function readMultipartBody(request: Request, largestFile: number): Promise<MultipartBody> {
  const type = request.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
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
    for await (const part of parseMultipartRequest(request, { maxFileSize: largestFile })) {
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
