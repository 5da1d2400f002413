import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { generatePeerKey, peerKeyOf, peerTokens, type RelayClient, registerPeer } from '@autowatering/relay-client';
import { mintToken } from '../../../run/local-stack/cognito/mint-token.ts';
import { messageEvent } from '../../../run/local-stack/gateway/gateway-events.ts';
import { type LoadPeers, loadPeers } from '../../../run/relay/bench/load-peers.ts';
import { buildLambdaBundle } from '../../lambda/lambda-bundle.ts';
import { type ColdStart, measureColdStarts } from '../cold-start.ts';
import { gatewayEvent } from '../peer/gateway-event.ts';
import { type HandlerProcess, startHandler } from '../peer/handler-process.ts';
import { type Bench, withOurHandler } from '../peer/run-peer-benchmark.ts';
import { type MeteringProxy, startMeteringProxy } from '../routes/metering-proxy.ts';

/** What one piece of work costs, on average. */
export interface RelayWork {
  /** Frames to the function, each an invocation; acknowledgements of what was received among them. */
  readonly invocations: number;
  /** Messages to peers: answers and deliveries. */
  readonly messagesOut: number;
  readonly calls: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  readonly cpuMicroseconds: number;
  readonly loggedBytes: number;
}

export interface RelayCost {
  readonly node: string;
  /** Per event, published alone, with one other peer online that receives it. */
  readonly single: RelayWork;
  /** Per event, in frames of 20. */
  readonly batched: RelayWork;
  /** Per heartbeat of a connected peer. */
  readonly heartbeat: RelayWork;
  readonly coldStart: {
    readonly empty: ColdStart;
    readonly events: readonly ColdStart[];
    readonly bundleBytes: number;
  };
}

/** As the events of requests have it. */
const API = 'https://api.example.com';
/** An account has five attempts to connect a second. */
const ATTEMPT_MS = 250;
const STREAM = 'zones';
const SINGLES = 200;
const BATCHED = 80;
const ACCOUNTS = 5;
const HEARTBEATS = 100;
/** Within what a peer may publish. */
const PACE_MS = 50;
/** Until the receivers have acknowledged, and nothing is under way. */
const SETTLE_MS = 3_000;
const draft = { type: 'zone.changed', payload: { zone: 'front lawn', minutes: 12, days: ['mon', 'thu'] } } as const;

/** Measures what the relay's bundle consumes, between real sockets and DynamoDB Local, and its cold start. */
export function measureRelay(
  directory: string,
  signal: AbortSignal,
  onStep: (step: string) => void,
): Promise<RelayCost> {
  return withOurHandler(directory, signal, async (bench) => {
    const meter = await startMeteringProxy(bench.engines.dynamoDb.url);
    try {
      const { handler } = await buildLambdaBundle(path.join(directory, 'relay-bundle'), { sourcemap: true }, 'Relay');
      const relay = await startHandler(handler, { ...bench.env, AWS_ENDPOINT_URL_DYNAMODB: meter.url }, signal);
      try {
        const figures = await measureWork(bench, relay, meter, onStep);
        onStep('cold starts');
        const token = await peerToken(bench.ours);
        return { node: process.version, ...figures, coldStart: await coldStarts(directory, bench, token) };
      } finally {
        await relay.stop();
      }
    } finally {
      await meter.stop();
    }
  });
}

async function measureWork(
  { ours, engines }: Bench,
  relay: HandlerProcess,
  meter: MeteringProxy,
  onStep: (step: string) => void,
) {
  let invocations = 0;
  engines.relay.deliverTo(async (event) => {
    invocations += 1;
    const { status, headers, body } = await relay.call(event);
    return { statusCode: status, headers, body };
  });
  const peers = await loadPeers({ apiUrl: API, relayUrl: engines.relay.url }, throughHandler(ours));

  /** @param messagesOut of one piece of work */
  const costOf = async (count: number, messagesOut: number, work: () => Promise<void>): Promise<RelayWork> => {
    await delay(SETTLE_MS);
    const before = { ...meter.total(), ...(await relay.usage()), invocations };
    await work();
    await delay(SETTLE_MS);
    const after = { ...meter.total(), ...(await relay.usage()), invocations };
    const each = (name: keyof typeof before) => (after[name] - before[name]) / count;
    return {
      ...{ invocations: each('invocations'), messagesOut, calls: each('calls') },
      ...{ readUnits: each('readUnits'), writeUnits: each('writeUnits') },
      ...{ cpuMicroseconds: each('cpuMicroseconds'), loggedBytes: each('loggedBytes') },
    };
  };

  onStep('single events');
  const pairs = await pairsOf(peers, ACCOUNTS);
  const single = await costOf(SINGLES * ACCOUNTS, 2, async () => {
    await Promise.all(
      pairs.map(async ([publisher]) => {
        for (let event = 0; event < SINGLES; event += 1) {
          await Promise.all([publisher.publish(STREAM, draft), delay(PACE_MS)]);
        }
      }),
    );
  });
  onStep('events in frames of 20');
  const others = await pairsOf(peers, ACCOUNTS);
  // One answer for 20 events, and each delivered.
  const batched = await costOf((1 + BATCHED) * ACCOUNTS, 1 + 1 / 20, async () => {
    await Promise.all(
      others.flatMap(([publisher]) => Array.from({ length: 1 + BATCHED }, () => publisher.publish(STREAM, draft))),
    );
  });
  onStep('heartbeats');
  const heartbeat = await costOf(HEARTBEATS * ACCOUNTS, 1, async () => {
    for (let beat = 0; beat < HEARTBEATS; beat += 1) {
      for (const [peer] of pairs) peer.wake();
      await delay(PACE_MS);
    }
  });
  for (const client of [...pairs, ...others].flat()) client.close();
  await delay(SETTLE_MS);
  engines.relay.deliverTo(undefined);
  return { single, batched, heartbeat };
}

/** Two peers of each account, both with the stream, which exists. */
async function pairsOf(peers: LoadPeers, count: number): Promise<readonly (readonly [RelayClient, RelayClient])[]> {
  const accounts = await peers.accounts(count, 2);
  return Promise.all(
    accounts.map(async ([publisher, receiver]) => {
      if (publisher === undefined || receiver === undefined) throw new Error('an account has no peers');
      await publisher.publish(STREAM, draft);
      receiver.subscribe(STREAM, () => {});
      return [publisher, receiver] as const;
    }),
  );
}

/** Requests to the API, answered by the function's handler. */
function throughHandler(handler: HandlerProcess): typeof fetch {
  return async (input, init = {}) => {
    const { pathname, search } = new URL(input instanceof Request ? input.url : input);
    const { status, body } = await handler.call(
      gatewayEvent({
        method: init.method === 'POST' ? 'POST' : 'GET',
        path: pathname + search,
        headers: Object.fromEntries(new Headers(init.headers)),
        ...(typeof init.body === 'string' ? { raw: init.body } : {}),
      }),
    );
    return new Response(body, { status });
  };
}

/** A new peer's access token. */
async function peerToken(handler: HandlerProcess): Promise<string> {
  const fetch = throughHandler(handler);
  const key = await peerKeyOf(await generatePeerKey());
  const { peerId } = await registerPeer({ apiUrl: API, idToken: mintToken(), name: 'Hub', type: 'hub', key, fetch });
  return peerTokens({ apiUrl: API, peerId, key, fetch })({ refresh: false });
}

/**
 * A container's first event is a connection: refused, or with a peer's token, or with a user's, whose key is asked for at
 * Cognito's.
 */
async function coldStarts(directory: string, { env }: Bench, token: string): Promise<RelayCost['coldStart']> {
  const { empty, routes, bundleBytes } = await measureColdStarts(
    directory,
    env,
    [
      { route: '$connect, refused', event: connecting('bearer.not-a-token'), expect: 401 },
      { route: '$connect by a peer', event: connecting(`bearer.${token}`), pauseMs: ATTEMPT_MS },
      { route: '$connect by a user', event: connecting(`bearer.${mintToken()}`), pauseMs: ATTEMPT_MS },
    ],
    'Relay',
  );
  return { empty, events: routes, bundleBytes };
}

function connecting(token: string): object {
  const facts = {
    ...{ connectionId: 'YmVuY2hiZW5jaDE=', connectedAt: Date.now(), sourceIp: '127.0.0.1' },
    ...{ domainName: 'relay.example.com', stage: 'bench', apiId: 'bench' },
  };
  const { requestContext } = messageEvent(facts, '', Date.now());
  const subprotocols = `autowatering.relay.v1, ${token}`;
  return {
    headers: { Host: facts.domainName, 'Sec-WebSocket-Protocol': subprotocols },
    multiValueHeaders: { Host: [facts.domainName], 'Sec-WebSocket-Protocol': [subprotocols] },
    requestContext: { ...requestContext, routeKey: '$connect', eventType: 'CONNECT' },
    isBase64Encoded: false,
  };
}
