import { randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import type { SmokeCheck } from './checks.ts';

const HANDSHAKE_MS = 10_000;

/** Checks that the relay's WebSocket API is there, and lets nobody in without a token. */
export function relayChecks(relayUrl: string): readonly SmokeCheck[] {
  return [
    {
      name: 'the relay refuses a connection without a token',
      run: () => expectRefusal(relayUrl, ['autowatering.relay.v1']),
    },
    {
      name: 'the relay refuses a connection with a wrong token',
      run: () => expectRefusal(relayUrl, ['autowatering.relay.v1', 'bearer.not.a.token']),
    },
  ];
}

async function expectRefusal(relayUrl: string, subprotocols: readonly string[]): Promise<void> {
  const status = await handshake(relayUrl, subprotocols);
  if (status !== 401 && status !== 403) throw new Error(`status ${status} instead of 401 or 403`);
}

/** Asks for a WebSocket and returns the status of the answer; an accepted one is closed at once. */
function handshake(relayUrl: string, subprotocols: readonly string[]): Promise<number> {
  const address = new URL(relayUrl.replace(/^ws/, 'http'));
  const { request } = address.protocol === 'https:' ? https : http;
  return new Promise((resolve, reject) => {
    const sent = request(address, {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
        'Sec-WebSocket-Protocol': subprotocols.join(', '),
      },
      signal: AbortSignal.timeout(HANDSHAKE_MS),
    });
    sent.on('error', reject);
    sent.on('upgrade', (_response, socket) => {
      socket.destroy();
      resolve(101);
    });
    sent.on('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.end();
  });
}
