import { trustedKey } from '@autowatering/release-format';
import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { validationFailed } from '../../http/field-faults.ts';
import { isoDateTime, textLine } from '../../http/fields.ts';
import type { DecisionSigner } from '../offer/decision-signature.ts';
import { type KeyStore, MOST_KEYS } from './key-store.ts';
import { BoardField } from './track-fields.ts';

const KeyHash = z.string().regex(/^[0-9a-f]{64}$/, '64 lower-case hexadecimal digits');

const KeyEntry = z.object({
  key_hash: z.string(),
  algorithm: z.enum(['ecdsa-p256', 'ed25519', 'rsa-2048']),
  public_key: z.string(),
  note: z.string(),
  added_at: isoDateTime,
});

/** Keys that sign firmware, and keys that sign this API's answers. */
export function keyRoutes(keys: KeyStore, signer: DecisionSigner): readonly Route[] {
  const list = defineRoute({
    method: 'GET',
    path: '/ota/keys',
    auth: 'admin',
    domain: 'ota',
    summary: "Lists the public keys that a board's bootloaders trust",
    description: "Images signed with none of them can't be published.",
    query: z.object({ board: BoardField }),
    responses: { 200: z.object({ ok: z.literal(true), board: z.string(), keys: z.array(KeyEntry) }) },
    errors: [],
  }).handledBy(async ({ query: { board } }) => {
    const entries = (await keys.list(board)).map(({ keyHash, pem, note, addedAt }) => ({
      ...{ key_hash: keyHash, note, added_at: addedAt },
      algorithm: trustedKey(pem).algorithm,
      public_key: pem,
    }));
    return { status: 200, body: { ok: true, board, keys: entries } };
  });

  const add = defineRoute({
    method: 'POST',
    path: '/ota/keys',
    auth: 'admin',
    domain: 'ota',
    summary: 'Registers a public key for a board',
    description: 'As PEM: ECDSA P-256, Ed25519 or RSA-2048. Registering a known key again updates its note.',
    body: z.strictObject({
      board: BoardField,
      public_key: z.string().max(2_000),
      note: textLine(200).default(''),
    }),
    responses: { 200: z.object({ ok: z.literal(true), board: z.string(), key_hash: z.string() }) },
    errors: ['too_many_keys'],
  }).handledBy(async ({ body: { board, public_key: given, note } }, { now }) => {
    const { keyHash, pem } = parsePublicKey(given);
    const known = await keys.list(board);
    if (known.length >= MOST_KEYS && !known.some((key) => key.keyHash === keyHash)) {
      throw new ApiError('too_many_keys', `A board has at most ${MOST_KEYS} keys: remove one first.`);
    }
    await keys.add(board, keyHash, pem, note, now);
    return { status: 200, body: { ok: true, board, key_hash: keyHash } };
  });

  const remove = defineRoute({
    method: 'POST',
    path: '/ota/keys/{key_hash}/remove',
    auth: 'admin',
    domain: 'ota',
    summary: 'Retires a key',
    description: 'Nothing signed with it can be published any more; published releases stay.',
    params: z.object({ key_hash: KeyHash }),
    body: z.strictObject({ board: BoardField }),
    responses: { 200: z.object({ ok: z.literal(true), board: z.string(), key_hash: z.string() }) },
    errors: ['key_not_found'],
  }).handledBy(async ({ params: { key_hash: keyHash }, body: { board } }, { now }) => {
    const known = await keys.list(board);
    if (!known.some((key) => key.keyHash === keyHash)) {
      throw new ApiError('key_not_found', 'There is no such key for this board.');
    }
    await keys.remove(board, keyHash, now);
    return { status: 200, body: { ok: true, board, key_hash: keyHash } };
  });

  const signing = defineRoute({
    method: 'GET',
    path: '/ota/signing-keys',
    auth: 'public',
    domain: 'ota',
    summary: 'Lists the public keys behind `signed` in `/ota/latest`',
    description:
      'For building the app. A phone must ship with these keys and never fetch them from here to verify an answer. ' +
      'There are several while keys rotate (docs/ota.md).',
    responses: {
      200: z.object({
        ok: z.literal(true),
        keys: z.array(z.object({ key_id: z.string(), algorithm: z.literal('ed25519'), public_key: z.string() })),
      }),
    },
    errors: [],
  }).handledBy(async () => {
    const inUse = (await signer.keys()).map(({ keyId, publicKeyPem }) => ({
      ...{ key_id: keyId, public_key: publicKeyPem },
      algorithm: 'ed25519' as const,
    }));
    return { status: 200, body: { ok: true, keys: inUse } };
  });

  return [list, add, remove, signing];
}

/** Only the public part is stored, whatever was sent. */
function parsePublicKey(text: string): { readonly keyHash: string; readonly pem: string } {
  if (text.includes('PRIVATE KEY')) {
    throw validationFailed(
      [{ in: 'body', field: 'public_key', message: 'this is a private key: send the public one' }],
      'machine',
    );
  }
  try {
    const { key, hash } = trustedKey(text);
    const pem = String(key.export({ type: 'spki', format: 'pem' }));
    return { keyHash: Buffer.from(hash).toString('hex'), pem };
  } catch {
    // The parser's own message doesn't help somebody who sent the wrong file.
    throw validationFailed(
      [{ in: 'body', field: 'public_key', message: 'a public key as PEM: ECDSA P-256, Ed25519 or RSA-2048' }],
      'machine',
    );
  }
}
