import { once } from 'node:events';
import { connect } from 'node:net';
import { encodeSerial, SerialReader } from './serial-framing.ts';
import type { Transport } from './transport.ts';

const LARGEST_PACKET = 65_533;

/** The client side of SMP over a serial console reached by TCP. */
export async function connectSerial(host: string, port: number): Promise<Transport> {
  const socket = connect(port, host);
  await once(socket, 'connect');
  const reader = new SerialReader(LARGEST_PACKET);
  return {
    writeBytes: LARGEST_PACKET,
    largestPacket: LARGEST_PACKET,
    send: (packet, sent) => socket.write(encodeSerial(packet), () => sent()),
    onPacket(listener) {
      socket.on('data', (bytes) => {
        for (const packet of reader.push(Buffer.from(bytes))) listener(packet);
      });
    },
    onClose(listener) {
      // An error is followed by a close, which is what listeners get.
      socket.on('error', () => {});
      socket.on('close', listener);
    },
    close: () => socket.destroy(),
  };
}
