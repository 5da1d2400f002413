import type { PeerView, RelayClient, RelayState } from '@autowatering/relay-client';
import { Command, Option } from 'commander';
import { wholeNumber } from '../../cli/terminal/number-arguments.ts';
import { connectedPeer } from './connected-peer.ts';
import { clockTime, eventLine } from './event-line.ts';
import { knownPeer, type RelayOptions, relayOptions, relayTarget } from './relay-options.ts';
import { refusal } from './relay-trouble.ts';

interface TailOptions extends RelayOptions {
  readonly from: 'start' | 'snapshot' | 'now';
  readonly count?: number;
  readonly presence: boolean;
}

/** Follows streams as they happen, for as long as it runs. */
export function tailCommand(signal: AbortSignal): Command {
  return relayOptions(new Command('tail'))
    .description('Follows streams: events, who comes and goes, and reconnects. Ctrl-C ends it.')
    .argument('[streams...]', 'their names (default: all, also those to come)')
    .addOption(
      new Option('--from <place>', 'the oldest event, the newest of each key, or what happens from now on')
        .choices(['start', 'snapshot', 'now'])
        .default('now'),
    )
    .option('--count <events>', 'ends after so many events', wholeNumber)
    .option('--no-presence', 'events only')
    .addHelpText(
      'after',
      '\nExamples:\n  npm run relay -- tail\n  npm run relay -- tail zones --from snapshot\n' +
        '  npm run relay -- tail --json --count 10 | jq .payload\n',
    )
    .action(async (streams: string[], options: TailOptions) => {
      const target = await relayTarget(options, signal);
      const known = await knownPeer(target, options);
      signal.throwIfAborted();
      const client = connectedPeer(target, known);
      try {
        await follow(client, streams.length === 0 ? ['*'] : streams, options, known.file, signal);
      } finally {
        client.close();
      }
    });
}

function follow(
  client: RelayClient,
  streams: readonly string[],
  options: TailOptions,
  file: string,
  signal: AbortSignal,
) {
  const { json, from, count = Number.POSITIVE_INFINITY } = options;
  return new Promise<void>((resolve, reject) => {
    let printed = 0;
    const print = (kind: string, value: object, line: string) =>
      console.log(json ? JSON.stringify({ kind, ...value }) : line);
    // Ctrl-C is how following ends; it is no failure.
    signal.addEventListener('abort', () => resolve(), { once: true });
    const stateChanged = (state: RelayState) => {
      if (state.state === 'refused') reject(refusal(state.reason, file));
      else if (state.state === 'offline' && state.reason === 'closed') return;
      else if (json) console.log(JSON.stringify({ kind: 'state', ...state }));
      else console.error(stateLine(state));
    };
    client.on('state', stateChanged);
    client.on('error', ({ message }) => console.error(message));
    if (options.presence) {
      onPresence(client, (peer, what) =>
        print('presence', peer, `${clockTime(client.now())}  ${peer.name} (${peer.type}) ${what}`),
      );
    }
    for (const name of new Set(streams)) {
      client.subscribe(
        name,
        (event, { stream, epoch }) => {
          if (printed >= count) return;
          printed += 1;
          const author = client.peers.find(({ peer_id: id }) => id === event.peer_id)?.name;
          print('event', { stream, epoch, ...event }, eventLine(stream, event, author));
          if (printed >= count) resolve();
        },
        {
          from,
          onReset: (reset) =>
            print('reset', reset, `${clockTime(client.now())}  ${reset.stream} began anew, up to ${reset.head}`),
        },
      );
    }
  });
}

function stateLine(state: Exclude<RelayState, { state: 'refused' }>): string {
  switch (state.state) {
    case 'connecting':
      return 'Connecting …';
    case 'online':
      return 'Online. Ctrl-C ends it.';
    case 'offline': {
      const seconds =
        state.retryAt === undefined ? undefined : Math.max(0, Math.ceil((state.retryAt - Date.now()) / 1000));
      return `Offline (${state.message ?? state.reason})${seconds === undefined ? '' : `, trying again in ${seconds} s`}`;
    }
  }
}

/** Reports who came and went, beginning with those who are online. */
function onPresence(client: RelayClient, report: (peer: PeerView, what: string) => void): void {
  let before = new Map<string, PeerView>();
  client.on('peers', (peers) => {
    for (const peer of peers) {
      const known = before.get(peer.peer_id);
      if (peer.online !== (known?.online ?? false)) report(peer, peer.online ? 'is online' : 'went offline');
      if (known !== undefined && known.name !== peer.name) report(peer, `was called ${known.name}`);
    }
    for (const peer of before.values()) {
      if (!peers.some(({ peer_id: id }) => id === peer.peer_id)) report(peer, 'was revoked');
    }
    before = new Map(peers.map((peer) => [peer.peer_id, peer]));
  });
}
