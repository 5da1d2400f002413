import type { Behaviour } from './behaviour.ts';
import { type Figures, routeFigure } from './figures.ts';
import { gardenMonth } from './jobs-month.ts';
import { type PriceList, tieredCost } from './price-list.ts';

/** US dollars a month. */
export interface MonthlyCost {
  readonly requests: number;
  /** By the function's memory in MB. */
  readonly lambda: Readonly<Record<number, number>>;
  readonly httpApi: number;
  readonly dynamoDb: number;
  readonly s3: number;
  readonly egress: number;
  readonly logs: number;
  readonly metrics: number;
  readonly secrets: number;
  readonly cognitoLite: number;
  readonly cognitoEssentials: number;
}

export const MEMORY_SIZES = [512, 1024, 1769] as const;

/** With this much memory Lambda gives one whole core, with less a share of it. */
const MB_OF_A_CORE = 1769;
const GB = 1_000_000_000;
const GIB = 1024 ** 3;
/** Time of one DynamoDB call within a region. Calls are counted as if none ran in parallel. */
export const DYNAMODB_WAIT_MS = 4;
/** A container rereads the secret every few minutes. */
const SECRET_CALLS_PER_CONTAINER_HOUR = 12;
const HOURS = 720;

/** Returns the billed seconds of a request, rounded up to a millisecond. */
export function billedSeconds(
  cpuMicroseconds: number,
  dynamoDbCalls: number,
  memoryMb: number,
  elsewhereMs = 0,
): number {
  const share = Math.min(1, memoryMb / MB_OF_A_CORE);
  const ms = cpuMicroseconds / 1000 / share + dynamoDbCalls * DYNAMODB_WAIT_MS + elsewhereMs;
  return Math.ceil(ms) / 1000;
}

/**
 * Computes the monthly cost for a number of users.
 *
 * @throws Error when the behaviour names a route that was not measured
 */
export function monthlyCost(users: number, behaviour: Behaviour, figures: Figures, prices: PriceList): MonthlyCost {
  const { requestsPerMonth, downloadsPerMonth, imageBytes, uploadsPerMonth, uploadBytes, storedBytes } = behaviour;
  const { fixed } = figures;
  const lines = Object.entries(requestsPerMonth).map(([route, each]) => {
    const figure = routeFigure(figures, route);
    if (figure === undefined) throw new Error(`${route} was not measured`);
    return { requests: users * each, ...figure };
  });
  const sum = (of: (line: (typeof lines)[number]) => number) =>
    lines.reduce((total, line) => total + line.requests * of(line), 0);
  const requests = sum(() => 1);
  const garden = gardenMonth(users, figures);
  const gbSeconds = (memoryMb: number) =>
    sum(
      ({ cpuMicroseconds, calls, elsewhereMs }) =>
        (memoryMb / 1024) * billedSeconds(cpuMicroseconds, calls, memoryMb, elsewhereMs),
    ) +
    (memoryMb / 1024) * billedSeconds(garden.cpuMicroseconds, garden.calls, memoryMb);
  const lambda = (memoryMb: number) =>
    tieredCost(requests + garden.invocations, prices.lambdaRequest) +
    tieredCost(gbSeconds(memoryMb), prices.lambdaGbSecondArm64);
  const stored = (users * storedBytes + garden.storedBytes) / GIB;
  const functionLog =
    ((requests + garden.invocations) * fixed.platformLogBytes + sum(({ loggedBytes }) => loggedBytes)) / GB;
  const accessLog = (requests * fixed.accessLogBytes) / GB;
  const downloads = users * downloadsPerMonth;
  const uploads = users * uploadsPerMonth;
  const s3Stored = (fixed.releases * imageBytes + (uploads * uploadBytes) / 30 + garden.archivedBytes) / GB;
  const busy = sum(({ cpuMicroseconds, calls, elsewhereMs }) =>
    billedSeconds(cpuMicroseconds, calls, 512, elsewhereMs),
  );
  const containers = Math.max(1, busy / (HOURS * 3600));
  return {
    requests,
    lambda: Object.fromEntries(MEMORY_SIZES.map((size) => [size, lambda(size)])),
    httpApi: tieredCost(
      sum(({ requestBytes }) => Math.ceil(requestBytes / (512 * 1024))),
      prices.httpApiRequest,
    ),
    dynamoDb:
      tieredCost(sum(({ readUnits }) => readUnits) + garden.readUnits, prices.dynamoDbReadUnit) +
      tieredCost(sum(({ writeUnits }) => writeUnits) + garden.writeUnits, prices.dynamoDbWriteUnit) +
      tieredCost(stored, prices.dynamoDbStorageGbMonth) +
      tieredCost(stored, prices.dynamoDbRecoveryGbMonth),
    s3:
      tieredCost(s3Stored, prices.s3StorageGbMonth) +
      tieredCost(uploads + garden.puts, prices.s3Put) +
      tieredCost(downloads + uploads, prices.s3Get),
    egress: tieredCost(
      (sum(({ answerBytes }) => answerBytes + fixed.answerHeaderBytes) + downloads * imageBytes) / GB,
      prices.egressGb,
    ),
    logs:
      tieredCost(functionLog + accessLog, prices.logsIngestedGb) +
      tieredCost(
        functionLog * (fixed.logRetentionDays / 30) + accessLog * (fixed.accessLogRetentionDays / 30),
        prices.logsStoredGbMonth,
      ),
    metrics:
      tieredCost(fixed.customMetrics, prices.customMetricMonth) +
      tieredCost(fixed.alarms, prices.alarmMonth) +
      tieredCost(fixed.dashboards, prices.dashboardMonth),
    secrets:
      tieredCost(fixed.secrets, prices.secretMonth) +
      tieredCost(containers * HOURS * SECRET_CALLS_PER_CONTAINER_HOUR, prices.secretCall),
    cognitoLite: tieredCost(users, prices.cognitoLiteUser),
    cognitoEssentials: tieredCost(users, prices.cognitoEssentialsUser),
  };
}
