import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type AccessKey, verifySignature } from '../s3/signature-v4.ts';
import { readAll } from '../stand-in-server.ts';
import type { GatewayLimits } from './gateway-limits.ts';
import type { GatewayManners } from './manners.ts';
import type { OpenConnection } from './open-connection.ts';

export interface EndpointOptions {
  readonly stage: string;
  readonly accessKey: AccessKey;
  readonly limits: GatewayLimits;
  readonly manners: () => GatewayManners;
  readonly find: (connectionId: string) => OpenConnection | undefined;
  readonly now: () => number;
}

const NAMES: Readonly<Record<number, string>> = {
  403: 'ForbiddenException',
  410: 'GoneException',
  413: 'PayloadTooLargeException',
  429: 'LimitExceededException',
  500: 'InternalServerErrorException',
  503: 'ServiceUnavailableException',
};

/** API Gateway's `@connections`: `POST` sends, `GET` describes, `DELETE` closes. Requests need a good signature. */
export function connectionsEndpoint({ stage, accessKey, limits, manners, find, now }: EndpointOptions) {
  const prefix = `/${stage}/@connections/`;
  let failed = 0;
  let failing: GatewayManners['failPosts'];

  /** The status with which a post is told to fail, if one is. */
  const toldToFail = (): number | undefined => {
    const told = manners().failPosts;
    if (told !== failing) {
      failing = told;
      failed = 0;
    }
    if (told === undefined || failed >= (told.times ?? Number.POSITIVE_INFINITY)) return undefined;
    failed += 1;
    return told.status;
  };

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refuse = (status: number, message?: string, name = NAMES[status]) =>
      response
        .writeHead(status, { 'Content-Type': 'application/json', 'x-amzn-ErrorType': name ?? 'UnknownError' })
        .end(JSON.stringify({ message: message ?? null }));
    const body = await readAll(request);
    const path = decodeURIComponent((request.url ?? '/').replace(/\?.*$/s, ''));
    if (request.headers.authorization === undefined) {
      refuse(403, 'Missing Authentication Token', 'MissingAuthenticationTokenException');
      return;
    }
    const verdict = verifySignature(request, accessKey, now(), { body });
    if (!verdict.good) {
      refuse(403, 'The request signature does not match the signature you provided.', `${verdict.code}Exception`);
      return;
    }
    if (!path.startsWith(prefix)) {
      refuse(403, 'Forbidden');
      return;
    }
    const connectionId = path.slice(prefix.length);
    if (request.method === 'POST') {
      const { delayPostsMs } = manners();
      // Not even for a moment: a timer of no time takes a millisecond.
      if (delayPostsMs > 0) await delay(delayPostsMs);
      const status = toldToFail();
      if (status !== undefined) {
        refuse(status, status === 429 ? 'Too Many Requests' : 'told to fail');
        return;
      }
      if (body.length > limits.messageBytes) {
        refuse(413, 'Payload too large');
        return;
      }
    }
    const connection = find(connectionId);
    if (connection === undefined) {
      refuse(410);
      return;
    }
    switch (request.method) {
      case 'POST':
        if (connection.send(body) === 'full') refuse(429, 'The buffer of the connection is full');
        else response.writeHead(200, { 'Content-Type': 'application/json' }).end();
        return;
      case 'GET':
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(description(connection)));
        return;
      case 'DELETE':
        connection.close(1000);
        response.writeHead(204).end();
        return;
      default:
        refuse(403, 'Missing Authentication Token', 'MissingAuthenticationTokenException');
    }
  };
}

function description({ facts, lastActiveAt }: OpenConnection) {
  return {
    connectedAt: new Date(facts.connectedAt).toISOString(),
    identity: { sourceIp: facts.sourceIp, userAgent: facts.userAgent ?? null },
    lastActiveAt: new Date(lastActiveAt).toISOString(),
  };
}
