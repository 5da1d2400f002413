import { once } from 'node:events';
import type { Clock, OpenSocket, RelaySocket } from '@autowatering/relay-client';
import { WebSocket, WebSocketServer } from 'ws';
import type { SmallRelay } from './small-relay.ts';

/** A clock that runs so many times as fast, and can be set wrong. */
export function fastClock(times: number, wrongBy = 0): Clock {
  const start = Date.now();
  const begun = performance.now();
  return {
    now: () => Math.round(start + wrongBy + (performance.now() - begun) * times),
    after(ms, call) {
      const timer = setTimeout(call, Math.min(ms / times, 2 ** 31 - 1));
      return () => clearTimeout(timer);
    },
  };
}

/** A clock whose short waits (up to two seconds, ten times as fast) pass by themselves, and longer ones when it is set forward. */
export function patientClock(): Clock & { forward(ms: number): void; isQuiet(): boolean } {
  let now = Date.now();
  const waiting = new Map<() => void, number>();
  return {
    now: () => now,
    after(ms, call) {
      const timer = ms <= 2_000 ? setTimeout(call, ms / 10) : undefined;
      if (timer === undefined) waiting.set(call, now + ms);
      return () => {
        clearTimeout(timer);
        waiting.delete(call);
      };
    },
    /** Nobody waits for an answer that is due soon. */
    isQuiet: () => [...waiting.values()].every((at) => at - now > 20_000),
    forward(ms) {
      now += ms;
      for (const [call, at] of [...waiting].sort(([, a], [, b]) => a - b)) {
        if (at <= now && waiting.delete(call)) call();
      }
    },
  };
}

/** What may happen to a frame on its way, each decided anew for every frame. */
export interface Faults {
  /** Milliseconds until it arrives; undefined: never. More than one: it arrives repeatedly. */
  deliver(): readonly number[];
}

/** Sockets to a relay of the same process. */
export function wiresTo(relay: SmallRelay, faults: Faults = { deliver: () => [0] }) {
  let isDown = false;
  const open = new Set<() => void>();
  const openSocket: OpenSocket = () => {
    const socket: RelaySocket & { isClosed: boolean } = {
      isClosed: false,
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      send(text) {
        for (const ms of faults.deliver()) setTimeout(() => server?.receive(text), ms);
      },
      close: () => end(),
    };
    let server: ReturnType<SmallRelay['accept']> | undefined;
    const call = (handler: unknown, event: unknown) => {
      if (typeof handler === 'function') handler(event);
    };
    const end = () => {
      if (socket.isClosed) return;
      socket.isClosed = true;
      open.delete(end);
      // Frames on their way arrive before the end.
      setTimeout(() => {
        server?.closed();
        call(socket.onclose, {});
      }, 5);
    };
    open.add(end);
    setTimeout(() => {
      if (isDown) return end();
      server = relay.accept({
        send(text) {
          for (const ms of faults.deliver()) {
            setTimeout(() => call(socket.onmessage, { data: text }), ms);
          }
        },
        close: end,
      });
      call(socket.onopen, {});
    }, 0);
    return socket;
  };
  return {
    openSocket,
    /** No connection lasts or begins. */
    setDown(down: boolean) {
      isDown = down;
      if (down) for (const end of [...open]) end();
    },
    /** Ends every connection. */
    cut() {
      for (const end of [...open]) end();
    },
  };
}

/** The relay behind a real WebSocket server. */
export async function serveRelay(relay: SmallRelay) {
  const tokens: string[] = [];
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols(protocols) {
      tokens.push([...protocols].find((one) => one.startsWith('bearer.'))?.slice('bearer.'.length) ?? '');
      return 'autowatering.relay.v1';
    },
  });
  server.on('connection', (socket) => {
    const end = relay.accept({ send: (text) => socket.send(text), close: () => socket.close() });
    socket.on('message', (data) => end.receive(String(data)));
    socket.on('close', () => end.closed());
  });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The relay has no port.');
  return {
    url: `ws://127.0.0.1:${address.port}`,
    /** Of every connection, as its subprotocol had it. */
    tokens,
    async stop() {
      for (const client of server.clients) client.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The package's WebSocket, for versions of Node without one. */
export const nodeSocket: OpenSocket = (url, subprotocols) => new WebSocket(url, subprotocols);
