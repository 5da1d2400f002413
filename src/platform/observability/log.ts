import { currentRequest } from './current-request.ts';
import { isWritten, type LogLevel } from './log-level.ts';

/** Plain facts about one event. Never a token, an e-mail address, a claim code, an image or a secret. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  /** Whether debug lines are written: what is costly to find out is found out only then. */
  readonly isDebug: boolean;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields, error?: unknown): void;
  error(message: string, fields?: LogFields, error?: unknown): void;
}

/** How deep a chain of causes is written: enough for the SDK's, short enough for a line. */
const MOST_CAUSES = 4;

/**
 * JSON lines on stdout, which Lambda hands to CloudWatch. Whatever is logged while a request is served carries its id,
 * however far outside: a circuit that opens, a key that is refused.
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

/** Lambda patches the console to add a prefix of its own; what is written to the stream stays JSON. */
export function writeLine(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** A log that adds the same fields to every line: a request's id, say. */
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
