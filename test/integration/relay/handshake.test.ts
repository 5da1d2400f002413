import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RelayBackend, startRelayBackend } from '../../support/relay-backend.ts';
import { established } from '../../support/relay-sessions.ts';

let relay: RelayBackend;

beforeAll(async () => {
  relay = await startRelayBackend();
});
afterAll(() => relay.stop());

describe('a handshake', () => {
  it('establishes a session', async () => {
    const peer = await relay.newPeer();
    const { welcome, connection, send } = await established(relay, peer.identity, peer.token);
    expect(welcome).toMatchObject({ peer_id: peer.identity.peerId, heartbeat_seconds: 240, streams: [], peers: [] });
    await send({ type: 'ping', id: 7 });
    expect(relay.served).toEqual([
      expect.objectContaining({ uid: peer.uid, connectionId: connection.connectionId, frame: { type: 'ping', id: 7 } }),
    ]);
  });
});
