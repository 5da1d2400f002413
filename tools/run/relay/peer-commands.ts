import { hostname } from 'node:os';
import { RelayError, registerPeer } from '@autowatering/relay-client';
import { PEER_TYPES, type PeerType } from '@autowatering/relay-protocol';
import { Command, Option } from 'commander';
import * as z from 'zod';
import { PlainError, RefusedError } from '../../cli/plain-error.ts';
import type { Target } from '../../cli/target/target.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { createKeyFile, readKeyFile, writeKeyFile } from './key-file.ts';
import { type RelayCall, relayCall } from './relay-calls.ts';
import { keyPath, type RelayOptions, relayOptions, relayTarget } from './relay-options.ts';

const Peer = z.object({
  peer_id: z.string(),
  name: z.string(),
  type: z.string(),
  status: z.string(),
  online: z.boolean(),
  last_seen_at: z.number().nullable(),
  cursors: z.array(z.object({ stream: z.string(), seq: z.number() })),
});
type Peer = z.output<typeof Peer>;
const Peers = z.object({ peers: z.array(Peer) });
const Revoked = z.object({ peer: z.looseObject({ peer_id: z.string(), name: z.string() }) });

interface RegisterOptions extends RelayOptions {
  readonly name?: string;
  readonly type: PeerType;
}

/** The commands about the account's peers. */
export function peerCommands(signal: AbortSignal): readonly Command[] {
  return [
    relayOptions(new Command('register'))
      .description('Makes this machine a peer of the user. Repeating it with the same key changes nothing.')
      .option('--name <name>', 'what the account calls the peer, 1 to 40 characters (default: peer and machine)')
      .addOption(new Option('--type <type>', 'what it is').choices([...PEER_TYPES]).default('desktop'))
      .addHelpText(
        'after',
        '\nThe key is created on first use, in a file that only you can read.\n\n' +
          'Examples:\n  npm run relay -- register\n  npm run relay -- register --peer phone --type phone --name "Ana\'s phone"\n' +
          '  npm run relay -- register --env dev --key ~/relay-dev.json --token "$ID_TOKEN"\n',
      )
      .action((options: RegisterOptions) => register(options, signal)),
    relayOptions(new Command('peers'))
      .description("Lists the account's peers: who is online, and how far each has read.")
      .option('--revoked', 'also those that were revoked', false)
      .addHelpText('after', '\nExamples:\n  npm run relay -- peers\n  npm run relay -- peers --revoked --json\n')
      .action(async (options: RelayOptions & { readonly revoked: boolean }) => {
        const call = await relayCall(await relayTarget(options, signal), options, signal);
        const peers = await listPeers(call, options.revoked);
        if (options.json) for (const peer of peers) console.log(JSON.stringify(peer));
        else console.log(peers.length === 0 ? NO_PEERS : peerTable(peers));
      }),
    relayOptions(new Command('revoke'))
      .description('Ends a peer for good: its session, its tokens and its key.')
      .argument('<peer>', 'its id or its name in the account')
      .addHelpText(
        'after',
        '\nExamples:\n  npm run relay -- revoke "Ana\'s phone"\n  npm run relay -- revoke 0b8f… --json\n',
      )
      .action(async (peer: string, options: RelayOptions) => {
        const call = await relayCall(await relayTarget(options, signal, true), options, signal);
        const { peer_id: peerId } = findPeer(await listPeers(call, false), peer);
        const { peer: revoked } = await call(`/relay/peers/${encodeURIComponent(peerId)}/revoke`, Revoked, {});
        if (options.json) console.log(JSON.stringify(revoked));
        else console.log(`${revoked.name} is out, and its key is never accepted again.`);
      }),
  ];
}

const NO_PEERS = 'No peers yet. Register one with "npm run relay -- register".';

async function register(options: RegisterOptions, signal: AbortSignal): Promise<void> {
  const target = await relayTarget(options, signal, true);
  const file = keyPath(target, options);
  const idToken = await target.userToken(options.user);
  if (idToken === undefined) {
    throw new PlainError("Registering needs the user's id token: pass --token, or with --api set RELAY_ID_TOKEN.");
  }
  const stored = (await readKeyFile(file)) ?? (await createKeyFile(file));
  const name =
    options.name ?? stored.content.peer?.name ?? [...`${options.peer} on ${hostname()}`].slice(0, 40).join('');
  const { peerId, relayUrl = target.relayUrl } = await registered(
    target,
    { idToken, name, type: options.type, key: stored.key },
    file,
  );
  if (relayUrl === undefined) throw new PlainError('This API has no relay: it did not say where peers connect.');
  const peer = { peer_id: peerId, name, type: options.type, api_base_url: target.apiBaseUrl, relay_url: relayUrl };
  await writeKeyFile(file, { ...stored.content, peer });
  if (options.json) console.log(JSON.stringify({ ...peer, key_file: file }));
  else console.log(`${name} is peer ${peerId}. Its key: ${file}\nSee what happens with "npm run relay -- tail".`);
}

type Registration = Omit<Parameters<typeof registerPeer>[0], 'apiUrl'>;

async function registered({ apiBaseUrl: apiUrl }: Target, registration: Registration, file: string) {
  try {
    return await registerPeer({ apiUrl, ...registration });
  } catch (error) {
    if (!(error instanceof RelayError)) throw error;
    const next = NEXT[error.message];
    if (next === undefined) throw new PlainError(`Registering failed: ${error.message}`);
    throw new RefusedError(next(file));
  }
}

/** What to do, by the API's error code. */
const NEXT: Readonly<Record<string, (file: string) => string>> = {
  key_in_use: (file) =>
    `The key in ${file} was revoked, or belongs to another account. Pass another name with --peer (or file with --key) to register with a new key.`,
  name_in_use: () => 'Another peer of the account has this name. Pass a different one with --name.',
  too_many_peers: () => 'The account has as many peers as it may have. Revoke one: npm run relay -- revoke <peer>.',
  invalid_token: () => 'The id token is wrong or has expired. Sign in again, and pass the new one with --token.',
  account_deleted: () => 'The account was deleted.',
};

async function listPeers(call: RelayCall, revoked: boolean): Promise<readonly Peer[]> {
  return (await call(`/relay/peers?revoked=${revoked}`, Peers)).peers;
}

function findPeer(peers: readonly Peer[], wanted: string): Peer {
  const same = (name: string) => name.normalize('NFC').toLowerCase() === wanted.normalize('NFC').toLowerCase();
  const found = peers.find(({ peer_id: id }) => id === wanted) ?? peers.find(({ name }) => same(name));
  if (found === undefined)
    throw new RefusedError(`There is no peer ${wanted}. List them with "npm run relay -- peers".`);
  return found;
}

function peerTable(peers: readonly Peer[]): string {
  return textTable(
    ['name', 'type', 'now', 'last seen', 'has read', 'peer'],
    peers.map(({ name, type, online, status, last_seen_at: seen, cursors, peer_id: id }) => [
      name,
      type,
      status === 'revoked' ? 'revoked' : online ? 'online' : 'offline',
      seen === null ? '–' : `${new Date(seen).toISOString().slice(0, 19)}Z`,
      cursors.map(({ stream, seq }) => `${stream} ${seq}`).join(', ') || '–',
      id,
    ]),
  );
}
