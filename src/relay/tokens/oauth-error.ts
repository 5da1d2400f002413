import * as z from 'zod';
import type { ApiError, ErrorCode, ErrorForm } from '../../http/errors.ts';

/** The codes of RFC 6749, 5.2 and RFC 7009, 2.2.1 that are ours too; everything else is a fault of the request. */
const OWN_CODES: readonly ErrorCode[] = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unsupported_grant_type',
  'unsupported_token_type',
];

/** Errors as OAuth clients expect them: `{ error, error_description }`. */
export const OAUTH_ERROR_FORM: ErrorForm = {
  name: 'OAuthError',
  schema: z.object({ error: z.string(), error_description: z.string() }),
  answer(error) {
    return {
      status: statusOf(error),
      body: { error: codeOf(error), error_description: descriptionOf(error) },
    };
  },
};

function codeOf({ code, status }: ApiError): string {
  if (OWN_CODES.includes(code)) return code;
  if (status === 429 || status === 503) return 'temporarily_unavailable';
  return status >= 500 ? 'server_error' : 'invalid_request';
}

/** RFC 6749, 5.2: whatever is wrong with the request is 400, unless HTTP itself has a better word for clients to act on. */
function statusOf({ status }: ApiError): number {
  return status === 415 ? 400 : status;
}

const Explained = z
  .object({ fault: z.string() })
  .or(z.object({ expected: z.string() }).transform(({ expected: fault }) => ({ fault })));

/**
 * The details where there are any, since developers read it. Only printable ASCII without quotation marks and
 * backslashes may be in it.
 */
function descriptionOf({ message, details }: ApiError): string {
  const explained = Explained.safeParse(details);
  return (explained.success ? explained.data.fault : message)
    .replaceAll(/[“”‘’"]/g, "'")
    .replaceAll(/[^\x20-\x7e]|\\/g, '?');
}
