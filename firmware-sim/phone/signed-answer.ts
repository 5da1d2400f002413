import { createPublicKey, verify } from 'node:crypto';
import * as z from 'zod';

/** `signed` in the answer of `GET /ota/latest`. */
export const Signed = z.object({
  payload: z.string(),
  signatures: z.array(z.object({ key_id: z.string(), value: z.string() })),
});

const Decision = z.object({
  v: z.literal(1),
  serial: z.string().nullable(),
  current_version: z.string().nullable(),
  update_available: z.boolean(),
  reason: z.string(),
  release: z.object({ version: z.string(), size_bytes: z.number(), sha256: z.string() }).nullable(),
  expires_at: z.iso.datetime().transform((text) => Date.parse(text)),
});
export type Decision = z.output<typeof Decision>;

/** The public keys (PEM) that an app or hub ships with, by their ids. */
export type SigningKeys = Readonly<Record<string, string>>;

/** The answer is not signed by a known key, is over, or is about another device. */
export class UnsignedAnswerError extends Error {
  override readonly name = 'UnsignedAnswerError';
}

export interface Asked {
  readonly serial: string | undefined;
  readonly currentVersion: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Reads the signed decision, of which alone a phone acts on.
 *
 * @throws UnsignedAnswerError
 */
export function readDecision(signed: z.output<typeof Signed> | undefined, keys: SigningKeys, asked: Asked): Decision {
  if (signed === undefined) throw new UnsignedAnswerError('the answer is not signed');
  const bytes = Buffer.from(signed.payload, 'base64url');
  const isGenuine = signed.signatures.some(({ key_id: id, value }) => {
    const pem = Object.hasOwn(keys, id) ? keys[id] : undefined;
    return pem !== undefined && verify(null, bytes, createPublicKey(pem), Buffer.from(value, 'base64url'));
  });
  if (!isGenuine) throw new UnsignedAnswerError('no known key has signed the answer');
  const parsed = Decision.safeParse(JSON.parse(bytes.toString('utf8')));
  if (!parsed.success) throw new UnsignedAnswerError(`the signed answer can't be read: ${parsed.error.message}`);
  const decision = parsed.data;
  if (decision.expires_at <= asked.now) throw new UnsignedAnswerError('the signed answer has expired');
  if (decision.serial !== (asked.serial ?? null) || decision.current_version !== asked.currentVersion) {
    throw new UnsignedAnswerError('the signed answer is for another device or version');
  }
  return decision;
}
