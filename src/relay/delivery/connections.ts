import type { ServerFrame, ServerHello } from '@autowatering/relay-protocol';
import type { ConnectionId } from '../names.ts';

/** API Gateway's `@connections` calls, or the local gateway's. */
export interface Connections {
  /**
   * Sends a text message. `gone`: the connection does not exist any more (410). `failed`: it could not be sent, for any
   * other reason, after retries; logged and counted here.
   */
  post(connection: ConnectionId, message: string): Promise<'posted' | 'gone' | 'failed'>;
  /** Closes a connection; one that is gone already counts as closed. */
  close(connection: ConnectionId): Promise<void>;
  /**
   * Where answers are checked: throws, or rejects, for a frame that is not as the protocol says. It sees frames before
   * they are sealed.
   */
  readonly check?: ((frame: ServerFrame | ServerHello) => Promise<void> | void) | undefined;
}
