import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Transport } from './transport.ts';

/** What fits into an Ethernet frame over IPv4 (facts sheet, D3). */
const LARGEST_DATAGRAM = 1472;

/** The client side of SMP over UDP. There is no connection to lose: a device that is gone only shows as silence. */
export async function connectUdp(host: string, port: number): Promise<Transport> {
  const socket = createSocket('udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  const closeListeners: (() => void)[] = [];
  socket.on('close', () => {
    for (const listener of closeListeners) listener();
  });
  // A refused port shows as a socket error. The waiting request fails by its timeout.
  socket.on('error', () => {});
  return {
    writeBytes: LARGEST_DATAGRAM,
    largestPacket: LARGEST_DATAGRAM,
    send: (packet, sent) => socket.send(packet, () => sent()),
    onPacket(listener) {
      socket.on('message', (packet) => listener(packet));
    },
    onClose(listener) {
      closeListeners.push(listener);
    },
    close: () => socket.close(),
  };
}
