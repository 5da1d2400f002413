import type { Transport } from '../../firmware-sim/link/transport.ts';
import { SmpClient } from '../../firmware-sim/phone/smp-client.ts';
import type { SmpServer } from '../../firmware-sim/smp/server.ts';

/** A client on a wire without a radio: what is sent is answered before `send` returns. */
export function directClient(server: Pick<SmpServer, 'handle'>): SmpClient {
  const listeners: ((packet: Uint8Array) => void)[] = [];
  const transport: Transport = {
    writeBytes: 2475,
    largestPacket: 2475,
    send: (packet, sent) => {
      sent();
      for (const answer of server.handle(packet)) for (const listener of listeners) listener(answer);
    },
    onPacket: (listener) => listeners.push(listener),
    onClose: () => {},
    close: () => {},
  };
  return new SmpClient(transport);
}
