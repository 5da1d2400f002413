import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { readAll, type StandIn, startStandIn } from '../../tools/run/local-stack/stand-in-server.ts';

import type { MissingRight } from './function-rights.ts';

export interface DynamoProxy extends StandIn {
  /** The operations that went through, e.g. `GetItem`, in order. */
  readonly operations: string[];
  /** Is told of every operation that goes through, and can hold it back. */
  observe(observer: (operation: string, body: Buffer) => void | Promise<void>): void;
  /** Loses the answer to this operation, after this many others of it. The work itself is done. */
  loseAnswer(operation: string, after?: number): void;
  /** After this many more writes nothing gets through, not even the last answer, as if the caller had crashed. */
  dieAfterWrites(count: number): void;
  /** The same after the next write of this kind. */
  dieAfter(operation: string): void;
  /** Whether nothing gets through. */
  readonly isDead: boolean;
  /** Lets everything through again. */
  revive(): void;
}

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'TransactWriteItems', 'BatchWriteItem']);

/** A proxy for DynamoDB Local that counts calls, rejects those without permission, and fails on request. */
export async function startDynamoProxy(target: string, missingRight: MissingRight): Promise<DynamoProxy> {
  const operations: string[] = [];
  let observer: (operation: string, body: Buffer) => void | Promise<void> = () => {};
  let writesLeft = Number.POSITIVE_INFINITY;
  let lastOperation: string | undefined;
  let losing: { readonly operation: string; after: number } | undefined;
  const agent = new Agent({ keepAlive: true });
  /** Uses `node:http`, because `fetch` takes a third of a test run's time at DynamoDB. */
  const forward = async (headers: IncomingHttpHeaders, body: Buffer) => {
    const { host: _host, connection: _connection, ...rest } = headers;
    const passed = httpRequest(target, { method: 'POST', agent, headers: rest });
    passed.end(body);
    const [answer]: [IncomingMessage] = await once(passed, 'response').then(([message]) => [message]);
    return { status: answer.statusCode ?? 500, body: await readAll(answer) };
  };
  const standIn = await startStandIn(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).split('.')[1] ?? '';
    if (writesLeft <= 0) {
      request.socket.destroy();
      return;
    }
    operations.push(operation);
    const body = await readAll(request);
    const missing = missingRight(operation, body);
    if (missing !== undefined) {
      response.writeHead(400, { 'Content-Type': 'application/x-amz-json-1.0' });
      response.end(
        JSON.stringify({ __type: 'com.amazon.coral.service#AccessDeniedException', Message: `no ${missing}` }),
      );
      return;
    }
    await observer(operation, body);
    const answer = await forward(request.headers, body);
    if (WRITES.has(operation)) writesLeft -= 1;
    if (operation === lastOperation) writesLeft = 0;
    if (writesLeft <= 0) {
      request.socket.destroy();
      return;
    }
    if (losing?.operation === operation) {
      losing.after -= 1;
      if (losing.after < 0) {
        losing = undefined;
        request.socket.destroy();
        return;
      }
    }
    response.writeHead(answer.status, { 'Content-Type': 'application/x-amz-json-1.0' });
    response.end(answer.body);
  }, undefined);
  return {
    ...standIn,
    async stop() {
      await standIn.stop();
      agent.destroy();
    },
    operations,
    observe(one) {
      observer = one;
    },
    get isDead() {
      return writesLeft <= 0;
    },
    loseAnswer(operation, after = 0) {
      losing = { operation, after };
    },
    dieAfterWrites(count) {
      writesLeft = count;
    },
    dieAfter(operation) {
      lastOperation = operation;
    },
    revive() {
      lastOperation = undefined;
      writesLeft = Number.POSITIVE_INFINITY;
    },
  };
}
