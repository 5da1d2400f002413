import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { PlainError } from '../../../cli/plain-error.ts';

const HOST = '127.0.0.1';

/**
 * Below the ephemeral ports (from 32768 on Linux, from 49152 elsewhere): a program that takes seconds to open its port
 * could find one of those taken by a connection.
 */
const [LOWEST, HIGHEST] = [15_000, 32_000] as const;
const MOST_TRIES = 100;

/** Returns a free port: the preferred one if possible. */
export async function freePort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isFree(port)) return port;
  }
  throw new PlainError(`There is no free port between ${LOWEST} and ${HIGHEST}.`);
}

/** Returns the requested port, or fails if it is in use. */
export async function requirePort(port: number): Promise<number> {
  if (await isFree(port)) return port;
  throw new PlainError(`Port ${port} is in use by another program. Choose another one with --port, or omit --port.`);
}

async function isFree(port: number): Promise<boolean> {
  try {
    await takePort(port);
    return true;
  } catch (error) {
    if (isBusy(error)) return false;
    throw error;
  }
}

function takePort(port: number): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      const taken = portOf(server);
      server.close(() => resolve(taken));
    });
  });
}

export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES');
}

export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port');
  return address.port;
}
