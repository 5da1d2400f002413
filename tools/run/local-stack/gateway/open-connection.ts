import type { WebSocket } from 'ws';
import type { ConnectionFacts } from './gateway-events.ts';
import type { GatewayLimits } from './gateway-limits.ts';

export interface OpenConnection {
  readonly facts: ConnectionFacts;
  readonly lastActiveAt: number;
  /** Something came from the client. */
  touch(): void;
  /** `full`: the client does not read, and was cut off. */
  send(message: Buffer): 'sent' | 'full';
  close(code: number): void;
}

/** How long a client may take to answer our close frame. */
const CLOSE_MS = 2_000;
const GOING_AWAY = 1001;

/** Keeps the limits of a connection that is open. The timers end with it. */
export function openConnection(
  facts: ConnectionFacts,
  socket: WebSocket,
  { idleMs, lifeMs, frameBytes, sendBufferBytes }: GatewayLimits,
  now: () => number,
): OpenConnection {
  let lastActiveAt = facts.connectedAt;
  const close = (code: number) => {
    if (socket.readyState !== socket.OPEN) return;
    socket.close(code);
    const impatience = setTimeout(() => socket.terminate(), CLOSE_MS);
    socket.once('close', () => clearTimeout(impatience));
  };
  const idle = setTimeout(() => close(GOING_AWAY), idleMs);
  const life = setTimeout(() => close(GOING_AWAY), lifeMs);
  socket.once('close', () => {
    clearTimeout(idle);
    clearTimeout(life);
  });
  const touch = () => {
    lastActiveAt = now();
    idle.refresh();
  };

  return {
    facts,
    get lastActiveAt() {
      return lastActiveAt;
    },
    touch,
    send(message) {
      if (socket.bufferedAmount + message.length > sendBufferBytes) {
        socket.terminate();
        return 'full';
      }
      touch();
      for (let from = 0; from === 0 || from < message.length; from += frameBytes) {
        const isLast = from + frameBytes >= message.length;
        socket.send(message.subarray(from, from + frameBytes), { binary: false, fin: isLast });
      }
      return 'sent';
    },
    close,
  };
}
