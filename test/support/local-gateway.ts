import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { GatewayLimits } from '../../tools/run/local-stack/gateway/gateway-limits.ts';
import {
  type GatewayEvent,
  type RelayGateway,
  startGateway,
} from '../../tools/run/local-stack/gateway/relay-gateway.ts';

export const GATEWAY_KEY = { id: 'local', secret: 'local' } as const;
export const GATEWAY_REGION = 'eu-central-1';

export interface WatchedGateway extends RelayGateway {
  /** What the function was given, oldest first. */
  readonly events: readonly GatewayEvent[];
  /** Waits for the events that match, at least so many. */
  untilEvents(matches: (event: GatewayEvent) => boolean, count?: number): Promise<readonly GatewayEvent[]>;
}

/** A gateway in front of a function that records its events and answers 200, unless it is given another. */
export async function watchedGateway(
  limits: Partial<GatewayLimits> = {},
  handler: (event: GatewayEvent) => unknown = () => ({ statusCode: 200 }),
): Promise<WatchedGateway> {
  const events: GatewayEvent[] = [];
  let changed = () => {};
  const gateway = await startGateway({ stage: 'test', accessKey: GATEWAY_KEY, limits });
  gateway.deliverTo(async (event) => {
    events.push(event);
    changed();
    return handler(event);
  });
  return {
    ...gateway,
    events,
    untilEvents: (matches, count = 1) =>
      new Promise((resolve) => {
        const previous = changed;
        changed = () => {
          previous();
          const found = events.filter(matches);
          if (found.length >= count) resolve(found);
        };
        changed();
      }),
  };
}

export const isRoute =
  (route: string) =>
  ({ requestContext }: GatewayEvent): boolean =>
    requestContext.routeKey === route;

/** A client that is connected. */
export async function connected(url: string, subprotocols: readonly string[] = []): Promise<WebSocket> {
  const socket = new WebSocket(url, [...subprotocols]);
  await once(socket, 'open');
  return socket;
}

/** The status with which a handshake is refused. */
export async function refusedWith(url: string, subprotocols: readonly string[] = []): Promise<number | undefined> {
  const socket = new WebSocket(url, [...subprotocols]);
  const [, response] = await once(socket, 'unexpected-response');
  response.destroy();
  return response.statusCode;
}

/** The code with which a connection is closed. */
export async function closedWith(socket: WebSocket): Promise<number> {
  const [code] = await once(socket, 'close');
  return code;
}

/** The next message to a client, as text. */
export async function nextMessage(socket: WebSocket): Promise<string> {
  const [data] = await once(socket, 'message');
  return String(data);
}
