import { hubLabelText, PairingError, parseHubLabel, registerHub } from '@autowatering/firmware-sim';
import { describe, expect, it } from 'vitest';

const publicKey = 'k'.repeat(43);
const idToken = `e30.${Buffer.from(JSON.stringify({ sub: 'uid-1' })).toString('base64url')}.x`;
const peer = { peer_id: 'hub-1', public_key: publicKey };

function pairing(answer: { status: number; body: object }, label = hubLabelText({ publicKey })) {
  const adopted: unknown[] = [];
  const hub: Parameters<typeof registerHub>[0]['hub'] = {
    label,
    proof: async (uid, time) => `${uid} at ${time}`,
    adopt: async (as) => void adopted.push(as),
  };
  const send: typeof fetch = async () => new Response(JSON.stringify(answer.body), { status: answer.status });
  const options = { apiUrl: 'https://api.example.com', idToken, name: 'Shed', hub, now: () => 5, fetch: send };
  return { adopted, register: () => registerHub({ ...options, signal: new AbortController().signal }) };
}

describe('setting a hub up', () => {
  it('ends with a hub that knows its account and where to connect', async () => {
    const { adopted, register } = pairing({ status: 201, body: { peer, relay_url: 'wss://relay' } });
    expect(await register()).toBe('hub-1');
    expect(adopted).toEqual([{ peerId: 'hub-1', apiUrl: 'https://api.example.com', relayUrl: 'wss://relay' }]);
  });

  it.each([
    ['the code is of something else', { status: 201, body: {} }, 'WIFI:S:Garden;;', 'not the QR code of a hub'],
    ['the code has no key', { status: 201, body: {} }, 'autowatering-hub:?key=short', 'not the QR code of a hub'],
    ['the backend refuses', { status: 409, body: { error: 'key_in_use' } }, undefined, 'registering answered 409'],
    ['the backend has no relay', { status: 201, body: { peer, relay_url: null } }, undefined, 'has no relay'],
  ])('says so and leaves the hub alone if %s', async (_what, answer, label, message) => {
    const { adopted, register } = pairing(answer, label);
    await expect(register()).rejects.toThrow(message);
    await expect(register()).rejects.toBeInstanceOf(PairingError);
    expect(adopted).toEqual([]);
  });

  it('reads a code as it is printed', () => {
    expect(parseHubLabel(hubLabelText({ publicKey }))).toEqual({ publicKey });
    expect(parseHubLabel('not a link')).toBeUndefined();
  });
});
