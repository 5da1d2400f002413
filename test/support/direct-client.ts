import { SmpClient, type SmpServer, type Transport } from '@autowatering/firmware-sim';

/** A client connected without a radio: requests are answered before `send` returns. */
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
