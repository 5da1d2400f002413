import { Agent, request } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** Hosts per network, from 127.1.0.1: all of 127.0.0.0/8 is this machine. */
const HOSTS_PER_NET = 250;

/**
 * Returns a `fetch` with its own source address per household, because the backend counts some calls by address. Linux
 * accepts any address in 127.0.0.0/8.
 */
export function loopbackFetch(household: number): typeof fetch {
  const net = Math.floor(household / (HOSTS_PER_NET * HOSTS_PER_NET)) + 1;
  const [third, fourth] = [Math.floor(household / HOSTS_PER_NET) % HOSTS_PER_NET, household % HOSTS_PER_NET];
  const localAddress = `127.${net}.${third}.${fourth + 1}`;
  const agent = new Agent({ keepAlive: true, maxSockets: 4, timeout: 10_000 });
  return (input, init = {}) =>
    new Promise((resolve, reject) => {
      const { method = 'GET', body, signal } = init;
      const headers = Object.fromEntries(new Headers(init.headers));
      const outgoing = request(
        input instanceof Request ? input.url : input,
        { method, headers, agent, localAddress, ...(signal && { signal }) },
        (incoming) => {
          buffer(incoming).then((bytes) => {
            resolve(new Response(new Uint8Array(bytes), { status: incoming.statusCode ?? 500 }));
          }, reject);
        },
      );
      outgoing.on('error', reject);
      outgoing.end(typeof body === 'string' || body instanceof Uint8Array ? body : undefined);
    });
}

/** Checks whether an API is on this machine, at an address reachable from other loopback addresses. */
export function isLoopback(url: string): boolean {
  return new URL(url).hostname.startsWith('127.') && process.platform === 'linux';
}
