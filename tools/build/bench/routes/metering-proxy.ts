import * as z from 'zod';
import { readAll, type StandIn, startStandIn } from '../../../run/local-stack/stand-in-server.ts';

export interface Consumption {
  readonly calls: number;
  readonly readUnits: number;
  readonly writeUnits: number;
}

export interface MeteringProxy extends StandIn {
  /** Consumption since the start. */
  total(): Consumption;
}

const Consumed = z.object({ CapacityUnits: z.number().default(0) });
const Output = z.looseObject({ ConsumedCapacity: z.union([Consumed, z.array(Consumed)]).optional() });

/** Starts a proxy in front of DynamoDB that meters the calls of a handler in another process. */
export async function startMeteringProxy(dynamoDb: string): Promise<MeteringProxy> {
  let [calls, readUnits, writeUnits] = [0, 0, 0];
  const standIn = await startStandIn(async (request, response) => {
    const { 'content-length': _length, host: _host, connection: _connection, ...headers } = request.headers;
    const asked = { ...JSON.parse((await readAll(request)).toString('utf8')), ReturnConsumedCapacity: 'TOTAL' };
    const answer = await fetch(dynamoDb, {
      method: 'POST',
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
      body: JSON.stringify(asked),
    });
    const text = await answer.text();
    const { ConsumedCapacity: consumed = [] } = Output.parse(JSON.parse(text));
    const units = [consumed].flat().reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
    calls += 1;
    if (/\.(?:Put|Update|Delete|TransactWrite|BatchWrite)/.test(String(headers['x-amz-target']))) writeUnits += units;
    else readUnits += units;
    response.writeHead(answer.status, { 'Content-Type': 'application/x-amz-json-1.0' });
    response.end(text);
  }, undefined);
  return { ...standIn, total: () => ({ calls, readUnits, writeUnits }) };
}
