/** A sentence about a connection that could not be made, and what to do about it. */
const CONNECTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name could not be looked up; is this machine online?',
  EHOSTUNREACH: 'the host is out of reach',
  ENETUNREACH: 'the network is out of reach',
  ETIMEDOUT: 'it did not answer in time',
  CERT_HAS_EXPIRED: 'its certificate has expired',
};

const FILE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read or written by this user',
  EPERM: 'may not be changed by this user',
  EISDIR: 'is a folder',
  ENOTDIR: 'is no folder',
  EEXIST: 'exists already',
  ENOSPC: 'can not be written: the disk is full',
  EROFS: 'can not be written: the file system is read-only',
};

/** A sentence about a connection or a file that failed; undefined for what is something else. */
export function systemTrouble(error: unknown): string | undefined {
  const found = causes(error).find(({ code }) => code !== undefined);
  if (found === undefined) return error instanceof Error && error.name === 'TimeoutError' ? TIMEOUT : undefined;
  const { code = '', address, hostname, port, path } = found;
  if (path !== undefined && address === undefined && FILE[code] !== undefined) return `${path} ${FILE[code]}.`;
  const reason = CONNECTION[code];
  if (reason === undefined) return undefined;
  const host = hostname ?? address;
  const where = host === undefined ? 'The other side' : `${host}${port === undefined ? '' : `:${port}`}`;
  return `${where} can not be reached: ${reason} (${code}).`;
}

const TIMEOUT =
  'The other side did not answer in time. Run it again; if it stays so, look whether the network is well.';

interface SystemError {
  readonly code?: string;
  readonly address?: string;
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: string;
}

/** The error, what it was caused by, and for attempts at several addresses each of them. */
function causes(error: unknown, depth = 0): readonly SystemError[] {
  if (!(error instanceof Error) || depth > 4) return [];
  const inner = error instanceof AggregateError ? error.errors : [error.cause];
  return [systemError(error), ...inner.flatMap((one: unknown) => causes(one, depth + 1))];
}

function systemError(error: Error): SystemError {
  const fields: Readonly<Record<string, unknown>> = { ...error };
  const text = (name: string) => (typeof fields[name] === 'string' ? { [name]: fields[name] } : {});
  // An attempt at several addresses has a code of its own, and no address.
  const isSummary = error instanceof AggregateError;
  return {
    ...(isSummary ? {} : { ...text('code'), ...text('address'), ...text('hostname'), ...text('path') }),
    ...(typeof fields['port'] === 'number' && { port: fields['port'] }),
  };
}
