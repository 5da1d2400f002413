import { FINAL_BYE_CODES } from '@autowatering/relay-protocol';
import type { RelayError } from '../errors.ts';
import type { LinkEnd } from '../session/link.ts';
import type { OfflineReason, RefusedReason } from './state.ts';

/** What the end of a connection, or of an attempt, means for the next one. */
export type Verdict =
  | { readonly refused: RefusedReason; readonly message: string }
  | {
      readonly offline: OfflineReason;
      readonly message?: string;
      /** Not before so many seconds. */
      readonly retryAfter?: number | undefined;
      /** The server's time, if ours is wrong. */
      readonly serverTime?: number | undefined;
    };

const FINAL_ERRORS: readonly string[] = [
  'unknown_peer',
  'server_identity',
  'token_refused',
  'unsupported',
  'no_curves',
];

export function verdictOn(end: LinkEnd): Verdict {
  switch (end.why) {
    case 'bye': {
      const { code, reason, retry_after } = end.bye;
      if (isFinalBye(code)) return { refused: code, message: reason };
      return { offline: code, message: reason, retryAfter: retry_after };
    }
    case 'error':
      return verdictOnError(end.error);
    case 'silent':
      return { offline: 'silent' };
    default:
      return { offline: 'dropped' };
  }
}

export function verdictOnError({ code, message, retryAfter, time }: RelayError): Verdict {
  if (isFinalError(code)) return { refused: code, message };
  if (code === 'lost' || code === 'http') return { offline: 'unreachable', message, retryAfter };
  return { offline: code, message, retryAfter, serverTime: code === 'clock_skew' ? time : undefined };
}

const isFinalBye = (code: string): code is 'replaced' | 'revoked' | 'account_deleted' =>
  FINAL_BYE_CODES.some((final) => final === code);

const isFinalError = (code: string): code is Extract<RefusedReason, string> => FINAL_ERRORS.includes(code);
