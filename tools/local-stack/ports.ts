import { createServer, type Server } from 'node:net';
import { PlainError } from '../cli/plain-error.ts';

const HOST = '127.0.0.1';

/** A free port: the preferred one if nobody has it, else one that the system picks. */
export async function freePort(preferred: number | undefined): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  return takePort(0);
}

/** A port that was asked for by number has to be that one. */
export async function requirePort(port: number): Promise<number> {
  if (await isFree(port)) return port;
  throw new PlainError(`Port ${port} is in use by another program. Choose another one with --port, or leave it out.`);
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
