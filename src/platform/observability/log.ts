import { Logger } from '@aws-lambda-powertools/logger';
import { currentRequest } from './current-request.ts';

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

/**
 * JSON lines by Powertools; the level comes from `AWS_LAMBDA_LOG_LEVEL` or `POWERTOOLS_LOG_LEVEL`. Whatever is logged while
 * a request is served carries its id, however far outside: a circuit that opens, a key that is refused.
 */
export function createLog(): Log {
  const logger = new Logger({ serviceName: 'autowatering' });
  return {
    isDebug: logger.getLevelName() === 'DEBUG' || logger.getLevelName() === 'TRACE',
    debug: (message, fields = {}) => logger.debug(message, ofRequest(fields)),
    info: (message, fields = {}) => logger.info(message, ofRequest(fields)),
    warn: (message, fields = {}, error) => logger.warn(message, withError(ofRequest(fields), error)),
    error: (message, fields = {}, error) => logger.error(message, withError(ofRequest(fields), error)),
  };
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

function ofRequest(fields: LogFields): Record<string, LogFields[string]> {
  const requestId = currentRequest()?.requestId;
  return requestId === undefined ? { ...fields } : { requestId, ...fields };
}

function withError(fields: LogFields, error: unknown): Record<string, unknown> {
  if (error === undefined) return { ...fields };
  return { ...fields, error: error instanceof Error ? error : new Error(String(error)) };
}
