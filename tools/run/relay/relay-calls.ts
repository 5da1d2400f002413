import { peerTokens } from '@autowatering/relay-client';
import type * as z from 'zod';
import { PlainError } from '../../cli/plain-error.ts';
import { apiClient } from '../../cli/target/api-client.ts';
import type { Target } from '../../cli/target/target.ts';
import { readKeyFile } from './key-file.ts';
import { type KnownPeer, keyPath, type RelayOptions, registerHint } from './relay-options.ts';
import { relayTrouble } from './relay-trouble.ts';

/** A call of the API's routes for the relay: POST with a body, else GET. */
export type RelayCall = <T>(path: string, schema: z.ZodType<T>, body?: unknown) => Promise<T>;

/**
 * Calls the API as the user if there is a token of theirs, else as the peer.
 *
 * @throws PlainError without either
 */
export async function relayCall(target: Target, options: RelayOptions, signal: AbortSignal): Promise<RelayCall> {
  const token = (await target.userToken(options.user)) ?? (await peerToken(target, options));
  const call = apiClient(target.apiBaseUrl, signal);
  const headers = { Authorization: `Bearer ${token}` };
  return (path, schema, body) =>
    call(path, schema, body === undefined ? { headers } : { method: 'POST', headers, body });
}

async function peerToken(target: Target, options: RelayOptions): Promise<string> {
  if (options.key === undefined && target.directory === undefined) {
    throw new PlainError("Who are you? Pass the user's id token with --token, or a peer's key file with --key.");
  }
  const stored = await readKeyFile(keyPath(target, options));
  if (stored?.content.peer === undefined)
    throw new PlainError(`There is no peer in ${keyPath(target, options)} yet. ${registerHint(options)}`);
  return accessToken(target, { ...stored, peer: stored.content.peer });
}

async function accessToken({ apiBaseUrl }: Target, known: KnownPeer): Promise<string> {
  const tokens = peerTokens({ apiUrl: apiBaseUrl, peerId: known.peer.peer_id, key: known.key });
  try {
    return await tokens({ refresh: false });
  } catch (error) {
    throw relayTrouble(error, known.file);
  }
}
