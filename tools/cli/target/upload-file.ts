import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { PlainError } from '../plain-error.ts';

const CHUNK_BYTES = 16 * 1024;
const IDLE_MS = 30_000;

/**
 * Uploads bytes by PUT with a Content-Length, reporting progress. (`fetch` would send a stream with chunked encoding,
 * which a presigned URL refuses.)
 *
 * @returns status and body of the response
 * @throws PlainError if the connection breaks
 */
export function uploadFile(
  url: string,
  headers: Readonly<Record<string, string>>,
  bytes: Uint8Array,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const send = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(url, {
      method: 'PUT',
      headers: { ...headers, 'Content-Length': bytes.byteLength },
      timeout: IDLE_MS,
      signal,
    });
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
      );
    });
    request.on('timeout', () => request.destroy(new Error(`no progress for ${IDLE_MS / 1000} s`)));
    request.on('error', (error) => {
      if (signal.aborted) reject(signal.reason);
      else reject(new PlainError(`The upload failed: ${error.message}. Run the command again to resume.`));
    });
    const write = (offset: number): void => {
      if (offset >= bytes.byteLength) {
        request.end();
        return;
      }
      const end = Math.min(offset + CHUNK_BYTES, bytes.byteLength);
      request.write(bytes.subarray(offset, end), () => {
        onProgress(end);
        write(end);
      });
    };
    write(0);
  });
}
