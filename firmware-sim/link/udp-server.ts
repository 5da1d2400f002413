import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { SimulatedDevice } from '../device/simulated-device.ts';

/** Zephyr's default port for SMP over UDP (facts sheet, D3). */
export const SMP_UDP_PORT = 1337;

export interface UdpServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** One SMP packet per datagram, answered to its sender, so that any mcumgr client can talk to the device. */
export async function startUdpServer(
  device: SimulatedDevice,
  options: { readonly port: number; readonly host?: string },
): Promise<UdpServer> {
  const socket = createSocket('udp4');
  socket.on('message', (packet, sender) => {
    device.accept(packet, {
      respond: (answer, sent) => socket.send(answer, sender.port, sender.address, sent),
    });
  });
  socket.bind(options.port, options.host ?? '127.0.0.1');
  await once(socket, 'listening');
  return {
    port: socket.address().port,
    async stop() {
      socket.close();
      await once(socket, 'close');
    },
  };
}
