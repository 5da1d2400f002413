import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { SimulatedDevice } from '../device/simulated-device.ts';
import { encodeSerial, SerialReader } from './serial-framing.ts';

export interface SerialServer {
  readonly port: number;
  /** Prints a line on all consoles, as the firmware's log does; SMP clients skip it. */
  print(line: string): void;
  stop(): Promise<void>;
}

/**
 * The device's serial console on a TCP port, for clients that speak SMP over a serial line. `socat` turns it into a
 * pty: `socat pty,raw,echo=0,link=./console tcp:127.0.0.1:1338`.
 */
export async function startSerialServer(
  device: SimulatedDevice,
  options: {
    readonly port: number;
    readonly host?: string;
    /** Called with each line that somebody types. */
    readonly onText?: (line: string) => void;
  },
): Promise<SerialServer> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    const reader = new SerialReader(device.bufferBytes, options.onText);
    const requester = {
      respond(answer: Uint8Array, sent: () => void) {
        socket.write(encodeSerial(answer), () => sent());
      },
    };
    socket.on('data', (bytes) => {
      for (const packet of reader.push(Buffer.from(bytes))) device.accept(packet, requester);
    });
    // A client that vanishes without closing is gone too.
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      open.delete(socket);
      device.forget(requester);
    });
  });
  server.listen(options.port, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server.address()),
    print(line) {
      for (const socket of open) socket.write(`${line}\n`);
    },
    async stop() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the console does not listen on a TCP port');
  return address.port;
}
