import { billedSeconds } from '../cost/monthly-cost.ts';
import { type PriceList, tieredCost } from '../cost/price-list.ts';
import type { RelayWork } from './measure-relay.ts';

/** The function's memory in template.yaml. */
const DEPLOYED_MB = 512;
const GB = 1_000_000_000;

/** US dollars by what they buy. */
export interface WorkPrice {
  readonly dynamoDb: number;
  readonly webSocket: number;
  readonly lambda: number;
  readonly logs: number;
  readonly total: number;
}

/** Prices so many pieces of work by the list, at the first tier's and later tiers' prices as they apply. */
export function workPrice(count: number, work: RelayWork, prices: PriceList): WorkPrice {
  const { invocations, messagesOut, calls, readUnits, writeUnits, cpuMicroseconds, loggedBytes } = work;
  // An acknowledgement takes less than a publish; on average it comes to the same.
  const seconds = invocations * billedSeconds(cpuMicroseconds / invocations, calls / invocations, DEPLOYED_MB);
  const dynamoDb =
    tieredCost(count * readUnits, prices.dynamoDbReadUnit) + tieredCost(count * writeUnits, prices.dynamoDbWriteUnit);
  const webSocket = tieredCost(count * (invocations + messagesOut), prices.webSocketMessage);
  const lambda =
    tieredCost(count * invocations, prices.lambdaRequest) +
    tieredCost((count * seconds * DEPLOYED_MB) / 1024, prices.lambdaGbSecondArm64);
  const logs = tieredCost((count * loggedBytes) / GB, prices.logsIngestedGb);
  return { dynamoDb, webSocket, lambda, logs, total: dynamoDb + webSocket + lambda + logs };
}

/** What a peer that stays connected for a month costs without publishing: its minutes and heartbeats. */
export function connectedMonth(heartbeat: RelayWork, heartbeatSeconds: number, prices: PriceList): number {
  const minutes = 30 * 24 * 60;
  const beats = (minutes * 60) / heartbeatSeconds;
  return tieredCost(minutes, prices.webSocketConnectionMinute) + workPrice(beats, heartbeat, prices).total;
}
