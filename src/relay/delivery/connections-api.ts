import { createSignedCalls, NotSentError, type SignedCall } from '../../platform/aws/signed-calls.ts';
import { traced } from '../../platform/observability/tracing.ts';
import { retry } from '../../platform/resilience/retry.ts';
import type { Services } from '../../platform/services.ts';
import type { ConnectionId } from '../names.ts';
import type { Connections } from './connections.ts';

type Needs = Pick<Services, 'clock' | 'log' | 'metrics' | 'randomness'> & {
  readonly config: {
    readonly region: string;
    /** Off in AWS, where the schemas are never loaded. */
    readonly checkResponses?: boolean | undefined;
    readonly relay: {
      /** Where `@connections` is, stage included. Without it no peer can be connected. */
      readonly endpoint?: string | undefined;
    };
  };
};

/** Of one attempt: a client that waits for a frame has given up by then. */
const TIMEOUT_MS = 3_000;
const RETRY = { attempts: 3, baseMs: 100 } as const;
const GONE = 410;

/** API Gateway is busy or broken for the moment. */
class UnwillingError extends Error {
  override readonly name = 'UnwillingError';
  readonly status: number;

  constructor(status: number) {
    super(`@connections answered ${status}`);
    this.status = status;
  }
}

/**
 * API Gateway's `@connections` by signed requests of our own: its client would be the largest part of what the relay
 * loads. A call whose answer is lost is not repeated, since a frame must not arrive twice.
 */
export function createConnections({ clock, config, log, metrics, randomness }: Needs): Connections {
  const { region } = config;
  const { endpoint } = config.relay;
  const send =
    endpoint && createSignedCalls({ endpoint, region, service: 'execute-api', timeoutMs: TIMEOUT_MS, clock });

  const attempt = async (send: SignedCall, method: 'POST' | 'DELETE', connection: ConnectionId, body?: string) => {
    const { status } = await send(method, `/@connections/${encodeURIComponent(connection)}`, body);
    if (status === 429 || status >= 500) throw new UnwillingError(status);
    if (status !== GONE && (status < 200 || status > 299)) throw new Error(`@connections answered ${status}`);
    return status === GONE ? 'gone' : 'done';
  };

  const call = async (method: 'POST' | 'DELETE', connection: ConnectionId, body?: string) => {
    try {
      if (!send) throw new Error('RELAY_ENDPOINT is not set');
      return await traced(`ApiGateway.${method}`, { 'rpc.system': 'aws-api', 'rpc.service': 'ApiGateway' }, () =>
        retry(RETRY, randomness, isWorthRetrying, () => attempt(send, method, connection, body)),
      );
    } catch (error) {
      metrics.count('RelayPostFailures');
      log.warn('relay_post_failed', { method, connectionId: connection }, error);
      return 'failed';
    }
  };

  const check: Connections['check'] = async (frame) =>
    (await import('../frames/server-frames.ts')).checkServerFrame(frame);

  return {
    check: config.checkResponses === true ? check : undefined,
    async post(connection, message) {
      const outcome = await call('POST', connection, message);
      return outcome === 'done' ? 'posted' : outcome;
    },
    async close(connection) {
      await call('DELETE', connection);
    },
  };
}

function isWorthRetrying(error: unknown): boolean {
  return error instanceof UnwillingError || error instanceof NotSentError;
}
