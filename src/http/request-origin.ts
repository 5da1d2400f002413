import type { IncomingMessage } from 'node:http';
import type { LambdaContext, LambdaEvent } from 'hono/aws-lambda';
import type { ApiError } from './errors.ts';

/** What the two adapters hand over: Lambda its event, Node its request. Tests without a server hand over nothing. */
export interface Bindings {
  readonly event?: LambdaEvent & { readonly refused?: ApiError };
  readonly lambdaContext?: LambdaContext;
  readonly incoming?: IncomingMessage;
  readonly refused?: ApiError;
}

/** Why the request can't be served, when the adapter could not make sense of it. */
export function refusalOf(bindings: Bindings | undefined): ApiError | undefined {
  return bindings?.refused ?? bindings?.event?.refused;
}

export function stageOf(bindings: Bindings | undefined): string | undefined {
  const context = bindings?.event?.requestContext;
  return context !== undefined && 'stage' in context && typeof context.stage === 'string' ? context.stage : undefined;
}

/** The caller's address as the gateway or the socket saw it; `X-Forwarded-For` is only what a client claims. */
export function addressOf(bindings: Bindings | undefined): string {
  const context = bindings?.event?.requestContext;
  if (context !== undefined && 'http' in context) return context.http.sourceIp;
  return bindings?.incoming?.socket.remoteAddress ?? 'unknown';
}

/** Where the request came in, as the caller spelled it: API Gateway's own name, a custom domain, or the local port. */
export function apiBaseUrlOf(bindings: Bindings | undefined, url: string): string {
  const context = bindings?.event?.requestContext;
  if (context === undefined || !('domainName' in context) || typeof context.domainName !== 'string') {
    return new URL(url).origin;
  }
  const stage = stageOf(bindings);
  return `https://${context.domainName}${stage === undefined || stage === '$default' ? '' : `/${stage}`}`;
}
