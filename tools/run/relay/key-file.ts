import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  exportPeerKey,
  generatePeerKey,
  importPeerKey,
  type PeerKey,
  type PinStore,
  peerKeyOf,
} from '@autowatering/relay-client';
import { PEER_TYPES } from '@autowatering/relay-protocol';
import * as z from 'zod';
import { parseLeniently } from '../../cli/lenient-json.ts';
import { PlainError } from '../../cli/plain-error.ts';

const KeyFile = z.object({
  /** PKCS#8, base64url. */
  private_key: z.string(),
  public_key: z.string(),
  /** Absent until the peer is registered. */
  peer: z
    .object({
      peer_id: z.string(),
      name: z.string(),
      type: z.enum(PEER_TYPES),
      api_base_url: z.url(),
      relay_url: z.string(),
    })
    .optional(),
  /** The server's keys that this peer trusts, by id. */
  server_keys: z.record(z.string(), z.string()).optional(),
});
export type KeyFile = z.output<typeof KeyFile>;
export type RegisteredPeer = NonNullable<KeyFile['peer']>;

/** A peer's key on disk. */
export interface StoredKey {
  readonly file: string;
  readonly content: KeyFile;
  readonly key: PeerKey;
}

/** Only its owner may read a private key. */
const MODE = 0o600;

/**
 * Reads a key file.
 *
 * @returns undefined if there is no such file
 * @throws PlainError if others may read it, or it is not a key file
 */
export async function readKeyFile(file: string): Promise<StoredKey | undefined> {
  let text: string;
  try {
    const { mode } = await stat(file);
    if ((mode & 0o077) !== 0) {
      throw new PlainError(`${file} holds a private key, but others may read it. Run: chmod 600 ${file}`);
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const content = KeyFile.safeParse(parseLeniently(text));
  if (!content.success) throw new PlainError(`${file} is not a peer's key file. Pass another one with --key.`);
  const { private_key: privateKey, public_key: publicKey } = content.data;
  return { file, content: content.data, key: await peerKeyOf(await importPeerKey({ privateKey, publicKey })) };
}

/** Creates a key and its file, in a folder that only its owner may read. */
export async function createKeyFile(file: string): Promise<StoredKey> {
  const pair = await generatePeerKey({ extractable: true });
  const { privateKey, publicKey } = await exportPeerKey(pair);
  const content = { private_key: privateKey, public_key: publicKey };
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  // Not over a file that appeared meanwhile: a key that is registered would be lost.
  await writeFile(file, `${JSON.stringify(content, null, 2)}\n`, { mode: MODE, flag: 'wx' });
  return { file, content, key: await peerKeyOf(pair) };
}

/** Replaces the content in one step, so that a crash can't leave half a key. */
export async function writeKeyFile(file: string, content: KeyFile): Promise<void> {
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`, { mode: MODE });
  await rename(temporary, file);
}

/** Keeps the server's keys that a peer trusts in its key file. */
export function pinsIn({ file, content }: StoredKey): PinStore {
  let pins = content.server_keys;
  return {
    load: async () => pins,
    async save(keys) {
      if (JSON.stringify(keys) === JSON.stringify(pins)) return;
      pins = keys;
      await writeKeyFile(file, { ...content, server_keys: pins });
    },
  };
}
