import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { inject } from 'vitest';
import { createRelayFunction } from '../../../src/relay-function.ts';
import { createServices } from '../../../src/services.ts';
import type { GatewayEvent, Invoke } from '../../../tools/run/local-stack/gateway/relay-gateway.ts';
import { readAll, startStandIn } from '../../../tools/run/local-stack/stand-in-server.ts';
import type { Backend } from '../backend.ts';
import { type DynamoProxy, startDynamoProxy } from '../dynamo-proxy.ts';
import { functionRights } from '../function-rights.ts';

/** Containers of the relay's function, which can be killed between any two writes. Another one takes the place of a dead one. */
export interface Containers {
  /** Handles an event in this container. Rejects if the container dies, now or while it waits. */
  handle(index: number, event: GatewayEvent): Promise<unknown>;
  /** Kills it after so many more writes: from then on it neither reads, writes nor posts. */
  dieAfterWrites(index: number, count: number): Promise<void>;
  /** How many have died. */
  readonly deaths: number;
  stop(): Promise<void>;
}

interface Container {
  readonly dynamo: DynamoProxy;
  readonly invoke: Invoke;
  stop(): Promise<void>;
}

export async function startContainers(backend: Backend, count: number): Promise<Containers> {
  const rights = await functionRights('Relay');
  const all: Container[] = [];
  let deaths = 0;

  const start = async (): Promise<Container> => {
    const dynamo = await startDynamoProxy(inject('dynamoDbUrl'), rights);
    const agent = new Agent({ keepAlive: true });
    const gateway = new URL(backend.relay.endpoint);
    // A dead container does not post either.
    const posts = await startStandIn(async (request, response) => {
      const body = await readAll(request);
      if (dynamo.isDead) {
        request.socket.destroy();
        return;
      }
      const { method, headers, url: path } = request;
      const passed = httpRequest({ host: gateway.hostname, port: gateway.port, agent, method, path, headers });
      passed.end(body);
      const [answer]: [IncomingMessage] = await once(passed, 'response').then(([message]) => [message]);
      response.writeHead(answer.statusCode ?? 500).end(await readAll(answer));
    }, undefined);
    const { clock, log, metrics } = backend;
    const environment = {
      ...process.env,
      AWS_ENDPOINT_URL_DYNAMODB: dynamo.url,
      RELAY_ENDPOINT: `${posts.url}${gateway.pathname}`,
    };
    const invoke: Invoke = createRelayFunction(createServices(environment, { clock, log, metrics }));
    const container = {
      ...{ dynamo, invoke },
      async stop() {
        await Promise.all([dynamo.stop(), posts.stop()]);
        agent.destroy();
      },
    };
    all.push(container);
    return container;
  };

  const current = await Promise.all(Array.from({ length: count }, start));
  const containerAt = async (index: number) => {
    const container = current[index];
    if (container !== undefined && !container.dynamo.isDead) return container;
    deaths += 1;
    const fresh = await start();
    current[index] = fresh;
    return fresh;
  };

  return {
    get deaths() {
      return deaths;
    },
    async handle(index, event) {
      const container = await containerAt(index);
      let isOver = false;
      const died = async () => {
        while (!isOver && !container.dynamo.isDead) await new Promise((resolve) => setTimeout(resolve, 5));
        if (!isOver) throw new Error('the container died');
      };
      try {
        return await Promise.race([container.invoke(event), died()]);
      } finally {
        isOver = true;
      }
    },
    async dieAfterWrites(index, writes) {
      (await containerAt(index)).dynamo.dieAfterWrites(writes);
    },
    async stop() {
      await Promise.all(all.map((container) => container.stop()));
    },
  };
}
