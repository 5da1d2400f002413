/** Why a connection failed, by error code. */
const CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the name could not be resolved; is this machine online?',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  ETIMEDOUT: 'it did not respond in time',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

const FILE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'is not accessible to this user',
  EPERM: "can't be changed by this user",
  EISDIR: 'is a folder',
  ENOTDIR: 'is not a folder',
  EEXIST: 'already exists',
  ENOSPC: "can't be written: the disk is full",
  EROFS: "can't be written: the file system is read-only",
};

/** Describes a failed connection or file access in a sentence; undefined for other errors. */
export function systemTrouble(error: unknown): string | undefined {
  const found = causes(error).find(({ code }) => code !== undefined);
  if (found === undefined) return error instanceof Error && error.name === 'TimeoutError' ? TIMEOUT : undefined;
  const { code = '', address, hostname, port, path } = found;
  if (path !== undefined && address === undefined && FILE[code] !== undefined) return `${path} ${FILE[code]}.`;
  const reason = CONNECTION[code];
  if (reason === undefined) return undefined;
  const host = hostname ?? address;
  const where = host === undefined ? 'The server' : `${host}${port === undefined ? '' : `:${port}`}`;
  return `${where} can't be reached: ${reason} (${code}).`;
}

const TIMEOUT =
  'The server did not respond in time. Run the command again; if the problem persists, check the network.';

interface SystemError {
  readonly code?: string;
  readonly address?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string;
}

/** Returns the error with its causes, including each attempt if several addresses were tried. */
function causes(error: unknown, depth = 0): readonly SystemError[] {
  if (!(error instanceof Error) || depth > 4) return [];
  const inner = error instanceof AggregateError ? error.errors : [error.cause];
  return [systemError(error), ...inner.flatMap((one: unknown) => causes(one, depth + 1))];
}

function systemError(error: Error): SystemError {
  const fields: Readonly<Record<string, unknown>> = { ...error };
  const text = (name: string) => (typeof fields[name] === 'string' ? { [name]: fields[name] } : {});
  // The error for several attempts has a code, but no address.
  const isSummary = error instanceof AggregateError;
  return {
    ...(isSummary ? {} : { ...text('code'), ...text('address'), ...text('hostname'), ...text('path') }),
    ...(typeof fields['port'] === 'number' && { port: fields['port'] }),
  };
}
