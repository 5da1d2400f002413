import type { IncomingRequest, OutgoingAnswer } from '../exchange.ts';
import type { OriginAllowed } from './origins.ts';

const PREFLIGHT_SECONDS = 3_600;
const EXPOSED = ['X-Request-Id', 'X-Process-Time', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'X-AI-Cache'].join();
const TAKEN = [
  ...['Authorization', 'Content-Type', 'Content-Encoding', 'X-Request-Id'],
  ...['x-factory-token', 'x-admin-token'],
].join();

type Headers = Readonly<Record<string, string>>;

/** Which answers and requests are open to web pages of other origins (the Fetch standard's CORS protocol). */
export interface Cors {
  /** For every answer. */
  headers(request: IncomingRequest): Headers;
  /** The answer to `OPTIONS`. */
  preflight(request: IncomingRequest): OutgoingAnswer;
}

export function createCors(isAllowed: OriginAllowed): Cors {
  const shared = { 'access-control-expose-headers': EXPOSED, vary: 'Origin' } as const;
  const headers = (request: IncomingRequest): Headers => {
    const origin = request.header('origin');
    return origin !== undefined && isAllowed(origin) ? { 'access-control-allow-origin': origin, ...shared } : shared;
  };
  return {
    headers,
    preflight: (request) => ({
      status: 204,
      headers: {
        ...headers(request),
        'access-control-allow-methods': 'GET,POST',
        'access-control-allow-headers': TAKEN,
        'access-control-max-age': String(PREFLIGHT_SECONDS),
        vary: 'Origin, Access-Control-Request-Headers',
      },
      body: null,
    }),
  };
}
