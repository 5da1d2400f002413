import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** As in Lambda's own API. */
const PATH = /^\/2015-03-31\/functions\/[\w-]+\/invocations$/;
/** Lambda's limit for what an invocation is given. */
const MOST_BYTES = 6 * 1024 * 1024;
/** Longer than callers keep idle connections. */
const IDLE_MS = 65_000;

/**
 * Serves a function to the local gateway as Lambda does, without the app's HTTP around it: an event as JSON, its result as
 * JSON. Not listening yet. A web page can't call it: it can't send the header without being asked first, which is refused.
 */
export function createInvocationServer<Event>(handler: (event: Event) => Promise<unknown>): Server {
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const isInvocation = request.headers['x-amz-invocation-type'] === 'RequestResponse';
    if (request.method !== 'POST' || !PATH.test(request.url ?? '') || !isInvocation) {
      send(response, 403, { message: 'Forbidden' });
      request.resume();
      return;
    }
    const body = await read(request);
    if (body === undefined) send(response, 413, { message: 'Request too large' });
    else send(response, 200, await handler(JSON.parse(body)));
  };
  return createServer({ keepAliveTimeout: IDLE_MS }, (request, response) => {
    serve(request, response).catch((error: unknown) => {
      response.setHeader('X-Amz-Function-Error', 'Unhandled');
      send(response, 200, { errorMessage: error instanceof Error ? error.message : String(error) });
    });
  });
}

/** Undefined: it is too large. */
function read(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.byteLength;
      if (bytes <= MOST_BYTES) chunks.push(chunk);
    });
    request.on('end', () => resolve(bytes > MOST_BYTES ? undefined : Buffer.concat(chunks).toString('utf8')));
    request.on('error', reject);
  });
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const text = JSON.stringify(value);
  response
    .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) })
    .end(text);
}
