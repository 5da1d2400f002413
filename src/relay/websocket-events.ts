import { SUBPROTOCOL } from '@autowatering/relay-protocol';
import { type CurrentRequest, duringRequest } from '../platform/observability/current-request.ts';
import { createPatience } from '../platform/resilience/patience.ts';
import type { Services } from '../platform/services.ts';
import { type ConnectionId, isConnectionId } from './names.ts';
import type { Relay } from './relay.ts';

/** The parts we read of API Gateway's events for a WebSocket API. */
export interface WebSocketEvent {
  readonly requestContext: {
    readonly routeKey?: string;
    readonly eventType?: string;
    readonly connectionId: string;
    readonly requestId?: string;
  };
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null;
  readonly body?: string | null;
  readonly isBase64Encoded?: boolean;
}

export interface WebSocketResult {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Outcome {
  readonly result: WebSocketResult;
  readonly uid: string | undefined;
  readonly errorCode?: string;
}

const SUBPROTOCOLS_HEADER = 'sec-websocket-protocol';
const OK = { statusCode: 200 };

/** Whether this container hasn't handled an event yet. */
let isColdStart = true;

type Needed = Pick<Services, 'config' | 'randomness' | 'log' | 'metrics' | 'requestLine'>;

/** Creates the Lambda handler for a WebSocket API. Writes one log line per event, with its metrics. */
export function createWebSocketHandler(services: Needed, relay: () => Promise<Relay>) {
  const { config, randomness, log, metrics, requestLine } = services;

  const connect = async (connectionId: ConnectionId, event: WebSocketEvent): Promise<Outcome> => {
    const outcome = await (await relay()).connect(connectionId, subprotocolsOf(event));
    if (!outcome.accepted) {
      metrics.count('RelayConnections', { change: 'refused' });
      return { result: { statusCode: outcome.status }, uid: outcome.uid, errorCode: outcome.code };
    }
    metrics.count('RelayConnections', { change: 'connect' });
    return { result: { statusCode: 200, headers: { 'Sec-WebSocket-Protocol': SUBPROTOCOL } }, uid: outcome.uid };
  };

  const handle = async (event: WebSocketEvent): Promise<Outcome> => {
    const { eventType, connectionId } = event.requestContext;
    if (!isConnectionId(connectionId)) return { result: { statusCode: 400 }, uid: undefined, errorCode: 'bad_event' };
    switch (eventType) {
      case 'CONNECT':
        return connect(connectionId, event);
      case 'DISCONNECT': {
        const { uid } = await (await relay()).disconnect(connectionId);
        metrics.count('RelayConnections', { change: 'disconnect' });
        return { result: OK, uid };
      }
      case 'MESSAGE': {
        // Everything goes to peers as messages of its own: API Gateway would send an answer of another status as a
        // message in its own words.
        const { uid } = await (await relay()).receive(connectionId, textOf(event));
        return { result: OK, uid };
      }
      default:
        return { result: { statusCode: 400 }, uid: undefined, errorCode: 'bad_event' };
    }
  };

  const handleSafely = async (event: WebSocketEvent): Promise<Outcome> => {
    try {
      return await handle(event);
    } catch (error) {
      const { eventType } = event.requestContext;
      log.error('An event of the relay failed', { eventType }, error);
      // A connection that can't be checked is refused. The other events have no answer.
      const statusCode = eventType === 'CONNECT' ? 503 : 200;
      return { result: { statusCode }, uid: undefined, errorCode: 'unavailable' };
    }
  };

  return async (event: WebSocketEvent): Promise<WebSocketResult> => {
    const started = performance.now();
    const coldStart = isColdStart;
    isColdStart = false;
    const { requestId = randomness.id(), routeKey = 'unmatched' } = event.requestContext;
    const current: CurrentRequest = {
      requestId,
      consumed: { calls: 0, units: 0 },
      metrics: [],
      patience: createPatience(config.dependencyWaitMs),
    };
    const { result, uid, errorCode } = await duringRequest(current, () => handleSafely(event));
    const latencyMs = Math.round((performance.now() - started) * 100) / 100;
    const counted = current.metrics ?? [];
    // Metrics counted after the answer can't join the event's line any more.
    current.metrics = undefined;
    const { statusCode } = result;
    requestLine({ requestId, route: `relay ${routeKey}`, uid, statusCode, latencyMs, errorCode, coldStart }, counted);
    if (log.isDebug) log.debug('consumed capacity', { requestId, route: routeKey, ...current.consumed });
    return result;
  };
}

/** All that the client offers, in its order. */
function subprotocolsOf({ headers, multiValueHeaders }: WebSocketEvent): readonly string[] {
  const named = (name: string) => name.toLowerCase() === SUBPROTOCOLS_HEADER;
  const several = Object.entries(multiValueHeaders ?? {}).find(([name]) => named(name))?.[1];
  const one = Object.entries(headers ?? {}).find(([name]) => named(name))?.[1];
  return (several ?? [one ?? ''])
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function textOf({ body, isBase64Encoded = false }: WebSocketEvent): string {
  if (body === undefined || body === null) return '';
  return isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
}
