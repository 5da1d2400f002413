import path from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { PlainError } from '../../cli/plain-error.ts';
import { apiOptions, yesOption } from '../../cli/target/system-options.ts';
import { findTarget, type Target, type TargetOptions } from '../../cli/target/target.ts';
import { type RegisteredPeer, readKeyFile, type StoredKey } from './key-file.ts';

export interface RelayOptions extends TargetOptions {
  readonly peer: string;
  readonly key?: string;
  readonly user?: string;
  readonly json: boolean;
}

/** The options of every command: the system, the user, the peer, and the form of the output. */
export function relayOptions(command: Command): Command {
  return yesOption(
    apiOptions(command)
      .option(
        '--token <token>',
        "the user's Cognito id token (default: logs the local stack's demo user in; with --api, from RELAY_ID_TOKEN)",
      )
      .option('--user <email>', 'the demo user of the local stack')
      .option('--peer <name>', "the peer, by the name of its key file in the local stack's folder", peerFileName, 'cli')
      .option('--key <file>', 'the key file of the peer, anywhere (required without the local stack)')
      .option('--json', 'JSON, for machines', false),
  );
}

function peerFileName(text: string): string {
  if (/^[\w-]{1,40}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected 1 to 40 letters, digits, hyphens and underscores.');
}

/** @param changes whether the command can change anything */
export function relayTarget(options: RelayOptions, signal: AbortSignal, changes = false): Promise<Target> {
  return findTarget(options, { changes, signal });
}

/**
 * Returns the path of the peer's key file.
 *
 * @throws PlainError without a local stack or `--key`
 */
export function keyPath({ directory }: Target, { key, peer }: RelayOptions): string {
  if (key !== undefined) return key;
  if (directory !== undefined) return path.join(directory, 'relay', `${peer}.json`);
  throw new PlainError("Where is the peer's key? Pass --key <file>; outside the local stack there is no default.");
}

/** A peer that is registered. */
export interface KnownPeer extends StoredKey {
  readonly peer: RegisteredPeer;
}

/** @throws PlainError if there is no key, or none that is registered */
export async function knownPeer(target: Target, options: RelayOptions): Promise<KnownPeer> {
  const file = keyPath(target, options);
  const stored = await readKeyFile(file);
  const { peer } = stored?.content ?? {};
  if (stored === undefined || peer === undefined)
    throw new PlainError(`There is no peer in ${file} yet. ${registerHint(options)}`);
  return { ...stored, peer };
}

/** How the same options register a peer. */
export function registerHint({ peer, key }: RelayOptions): string {
  const which = key !== undefined ? ` --key ${key}` : peer === 'cli' ? '' : ` --peer ${peer}`;
  return `Register it with "npm run relay -- register${which}".`;
}
