/** API Gateway's quotas for WebSocket APIs; tests set smaller ones. */
export interface GatewayLimits {
  readonly frameBytes: number;
  readonly messageBytes: number;
  /** Without a message in either direction or a ping. */
  readonly idleMs: number;
  readonly lifeMs: number;
  /** What may wait for a client that does not read, before it is cut off. API Gateway does not publish its own. */
  readonly sendBufferBytes: number;
  /** How long the function may take. */
  readonly integrationMs: number;
}

export const GATEWAY_LIMITS: GatewayLimits = {
  frameBytes: 32 * 1024,
  messageBytes: 128 * 1024,
  idleMs: 10 * 60_000,
  lifeMs: 2 * 60 * 60_000,
  sendBufferBytes: 1024 * 1024,
  integrationMs: 29_000,
};
