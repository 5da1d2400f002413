import { currentRequest } from './current-request.ts';
import { isWritten, type LogLevel } from './log-level.ts';

/** Facts about one event. Never a token, e-mail address, claim code, image or secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  /** Whether debug lines are written. Guards expensive diagnostics. */
  readonly isDebug: boolean;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields, error?: unknown): void;
  error(message: string, fields?: LogFields, error?: unknown): void;
}

/** The longest chain of causes to log: enough for the SDK's errors, short enough for a line. */
const MOST_CAUSES = 4;

/**
 * Creates a log of JSON lines on stdout, which Lambda sends to CloudWatch. Everything logged while serving a request
 * carries its id.
 */
export function createLog(level: LogLevel = 'INFO'): Log {
  const write = (name: LogLevel, message: string, fields: LogFields, error?: unknown): void => {
    if (!isWritten(name, level)) return;
    const requestId = currentRequest()?.requestId;
    writeLine({
      level: name,
      message,
      timestamp: new Date().toISOString(),
      service: 'backend',
      ...(requestId === undefined ? {} : { requestId }),
      ...fields,
      ...(error === undefined ? {} : { error: errorFields(error) }),
    });
  };
  return {
    isDebug: level === 'DEBUG',
    debug: (message, fields = {}) => write('DEBUG', message, fields),
    info: (message, fields = {}) => write('INFO', message, fields),
    warn: (message, fields = {}, error) => write('WARN', message, fields, error),
    error: (message, fields = {}, error) => write('ERROR', message, fields, error),
  };
}

/** Writes to stdout directly, because Lambda's patched console adds a prefix. */
export function writeLine(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Returns a log that adds the same fields to every line, e.g. a request's id. */
export function logWith(log: Log, bound: LogFields): Log {
  return {
    isDebug: log.isDebug,
    debug: (message, fields) => log.debug(message, { ...bound, ...fields }),
    info: (message, fields) => log.info(message, { ...bound, ...fields }),
    warn: (message, fields, error) => log.warn(message, { ...bound, ...fields }, error),
    error: (message, fields, error) => log.error(message, { ...bound, ...fields }, error),
  };
}

interface ErrorFields {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly cause?: ErrorFields;
}

function errorFields(error: unknown, depth = 1): ErrorFields {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message, stack, cause } = error;
  const isLast = cause === undefined || depth === MOST_CAUSES;
  return { name, message, stack, ...(isLast ? {} : { cause: errorFields(cause, depth + 1) }) };
}
