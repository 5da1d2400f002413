import { readFileSync } from 'node:fs';
import * as z from 'zod';

const Tiers = z.array(z.object({ upTo: z.number().positive().optional(), price: z.number().nonnegative() })).min(1);

const PriceList = z.strictObject({
  date: z.string(),
  region: z.string(),
  currency: z.literal('USD'),
  note: z.string(),
  sources: z.array(z.string()),
  lambdaRequest: Tiers,
  lambdaGbSecondArm64: Tiers,
  /** Of up to 32 KB each, in either direction. */
  webSocketMessage: Tiers,
  webSocketConnectionMinute: Tiers,
  httpApiRequest: Tiers,
  dynamoDbReadUnit: Tiers,
  dynamoDbWriteUnit: Tiers,
  dynamoDbStorageGbMonth: Tiers,
  dynamoDbRecoveryGbMonth: Tiers,
  s3StorageGbMonth: Tiers,
  s3Put: Tiers,
  s3Get: Tiers,
  egressGb: Tiers,
  logsIngestedGb: Tiers,
  logsStoredGbMonth: Tiers,
  customMetricMonth: Tiers,
  alarmMonth: Tiers,
  dashboardMonth: Tiers,
  secretMonth: Tiers,
  secretCall: Tiers,
  cognitoEssentialsUser: Tiers,
  cognitoLiteUser: Tiers,
});

export type PriceTiers = z.output<typeof Tiers>;
export type PriceList = z.output<typeof PriceList>;

/** Reads AWS's list prices in US dollars per unit, with their date and sources. */
export function priceList(): PriceList {
  return PriceList.parse(JSON.parse(readFileSync(new URL('./price-list.json', import.meta.url), 'utf8')));
}

/** Returns the price of an amount, each part at the price of its tier. */
export function tieredCost(amount: number, tiers: PriceTiers): number {
  let [cost, from] = [0, 0];
  for (const { upTo = Number.POSITIVE_INFINITY, price } of tiers) {
    if (amount <= from) break;
    cost += (Math.min(amount, upTo) - from) * price;
    from = upTo;
  }
  return cost;
}
