import { type StandIn, startStandIn } from './stand-in-server.ts';

/**
 * As much of Stripe as the product asks of it so far: the authenticated read of the health check. It refuses a wrong
 * key as Stripe does, and anything it does not know.
 */
export function startStripe(secretKey: string, preferredPort?: number): Promise<StandIn> {
  return startStandIn(async (request, response) => {
    request.resume();
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'Content-Type': 'application/json', 'Request-Id': 'req_local' });
      response.end(JSON.stringify(body));
    };
    if (request.headers.authorization !== `Bearer ${secretKey}`) {
      answer(401, { error: { type: 'invalid_request_error', message: 'Invalid API Key provided' } });
    } else if (request.method === 'GET' && request.url === '/v1/balance') {
      answer(200, { object: 'balance', available: [], pending: [], livemode: false });
    } else {
      answer(404, { error: { type: 'invalid_request_error', message: `Unrecognized request URL (${request.url})` } });
    }
  }, preferredPort);
}
