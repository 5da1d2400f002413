import * as z from 'zod';
import { createServices } from '../../../src/services.ts';

type Services = ReturnType<typeof createServices>;

const Consumed = z.object({ CapacityUnits: z.number().optional() });
const Output = z.object({ ConsumedCapacity: z.union([Consumed, z.array(Consumed)]).optional() });

export interface DynamoMeter {
  calls: number;
  capacityUnits: number;
}

/** Creates the real services and meters the number and capacity of their DynamoDB calls. */
export function meteredServices(env: Readonly<Record<string, string>>): {
  readonly services: Services;
  readonly meter: DynamoMeter;
  /** Moves the backend's clock forward. */
  forward(ms: number): void;
} {
  const meter: DynamoMeter = { calls: 0, capacityUnits: 0 };
  const plain = createServices(env);
  let metered: ReturnType<Services['documents']> | undefined;
  const documents = () => {
    metered ??= plain.documents().then((client) => {
      client.middlewareStack.add(
        (next) => async (args) => {
          Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' });
          const result = await next(args);
          const { ConsumedCapacity: consumed } = Output.parse(result.output);
          meter.calls += 1;
          for (const { CapacityUnits: units = 0 } of [consumed ?? []].flat()) meter.capacityUnits += units;
          return result;
        },
        { step: 'initialize' },
      );
      return client;
    });
    return metered;
  };
  const quiet = { isDebug: false, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  let ahead = 0;
  const clock = { now: () => Date.now() + ahead };
  return {
    services: createServices(env, { documents, log: quiet, clock }),
    meter,
    forward(ms) {
      ahead += ms;
    },
  };
}
