import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Transport } from './transport.ts';

/** What fits an Ethernet frame over IPv4 (facts sheet, D3). */
const LARGEST_DATAGRAM = 1472;

/** The client's side of SMP over UDP. There is no connection to lose: silence is all that a gone device shows. */
export async function connectUdp(host: string, port: number): Promise<Transport> {
  const socket = createSocket('udp4');
  socket.connect(port, host);
  await once(socket, 'connect');
  const closeListeners: (() => void)[] = [];
  socket.on('close', () => {
    for (const listener of closeListeners) listener();
  });
  // A refused port shows as an error on the socket; the request that waits finds out by its time limit.
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
