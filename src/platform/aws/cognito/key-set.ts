import http from 'node:http';
import https from 'node:https';

/** Cognito's has two keys in 1 KB. */
const MOST_BYTES = 256 * 1024;

/**
 * Fetches a JSON Web Key Set. Over Node's own client, which is loaded for AWS's services anyway: `fetch` would load
 * undici for this one call.
 *
 * @throws Error for an answer other than 200 or too long a one; Node's network errors; the signal's reason
 */
export function fetchKeySet(uri: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const { request } = new URL(uri).protocol === 'http:' ? http : https;
  return new Promise((resolve, reject) => {
    // Asked for once in a container's life: no connection is kept.
    const sent = request(uri, { agent: false, signal, headers: { accept: 'application/json' } });
    sent.on('error', (error) => reject(signal.aborted ? signal.reason : error));
    sent.on('response', (answer) => {
      if (answer.statusCode !== 200) {
        sent.destroy(new Error(`status ${answer.statusCode}`));
        return;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.byteLength;
        if (bytes > MOST_BYTES) answer.destroy(new Error(`more than ${MOST_BYTES} bytes`));
      });
      answer.on('end', () => resolve(new Uint8Array(Buffer.concat(chunks)).buffer));
    });
    sent.end();
  });
}
