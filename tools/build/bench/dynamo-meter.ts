import { createServices } from '../../../src/services.ts';

type Services = ReturnType<typeof createServices>;
type Fields = Parameters<Services['log']['debug']>[1];

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
  // At debug level every request logs what it consumed.
  const debug = (_message: string, { calls, units }: NonNullable<Fields> = {}) => {
    if (typeof calls === 'number') meter.calls += calls;
    if (typeof units === 'number') meter.capacityUnits += units;
  };
  let ahead = 0;
  const clock = { now: () => Date.now() + ahead };
  const log = { isDebug: true, debug, info: () => {}, warn: () => {}, error: () => {} };
  return {
    services: createServices(env, { log, clock }),
    meter,
    forward(ms) {
      ahead += ms;
    },
  };
}
