import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Behaviour, GARDENER } from '../../../tools/build/bench/cost/behaviour.ts';
import { costPage } from '../../../tools/build/bench/cost/cost-page.ts';
import { benchFigures, type Figures, figuresOf } from '../../../tools/build/bench/cost/figures.ts';
import { billedSeconds, monthlyCost } from '../../../tools/build/bench/cost/monthly-cost.ts';
import { type PriceList, priceList, tieredCost } from '../../../tools/build/bench/cost/price-list.ts';

const each = (price: number) => [{ price }];

const NO_WORK = { calls: 0, readUnits: 0, writeUnits: 0, cpuMicroseconds: 0, puts: 0, putBytes: 0 };

/** Round prices, to compute by hand with. */
const PRICES: PriceList = {
  ...{ date: '2020-01', region: 'nowhere-1', currency: 'USD', note: '', sources: [] },
  lambdaRequest: each(0.0000002),
  lambdaGbSecondArm64: each(0.00001),
  webSocketMessage: [{ price: 1 }],
  webSocketConnectionMinute: [{ price: 1 }],
  httpApiRequest: each(0.000001),
  dynamoDbReadUnit: each(0.0000001),
  dynamoDbWriteUnit: each(0.000001),
  dynamoDbStorageGbMonth: each(0.25),
  dynamoDbRecoveryGbMonth: each(0.2),
  s3StorageGbMonth: each(0.02),
  s3Put: each(0.000005),
  s3Get: each(0.0000004),
  egressGb: each(0.1),
  logsIngestedGb: each(0.5),
  logsStoredGbMonth: each(0.03),
  customMetricMonth: each(0.3),
  alarmMonth: each(0.1),
  dashboardMonth: each(3),
  secretMonth: each(0.4),
  secretCall: each(0.00001),
  cognitoEssentialsUser: [{ upTo: 10_000, price: 0 }, { price: 0.015 }],
  cognitoLiteUser: [{ upTo: 10_000, price: 0 }, { price: 0.005 }],
};

const FIGURES: Figures = {
  ...{ measured: '2020-01-01', node: 'v24', baselines: {}, logBefore: { bytes: 1_000, now: 500 } },
  fixed: {
    ...{ customMetrics: 10, alarms: 2, dashboards: 1, secrets: 1, releases: 10 },
    ...{ platformLogBytes: 300, accessLogBytes: 200, answerHeaderBytes: 100 },
    ...{ logRetentionDays: 30, accessLogRetentionDays: 15 },
  },
  routes: {
    'GET /a': {
      ...{ cpuMicroseconds: 1_769, calls: 1, readUnits: 2, writeUnits: 3, loggedBytes: 500, answerBytes: 900 },
      ...{ requestBytes: 1_000, elsewhereMs: 0 },
    },
  },
  garden: { days: 1, firstWriteUnits: 0, dailyWriteUnits: 0, storedBytes: 0 },
  jobs: { devices: 1, idleHour: NO_WORK, lookOfADay: NO_WORK, archiveOfADay: NO_WORK },
};

const BEHAVIOUR: Behaviour = {
  requestsPerMonth: { 'GET /a': 10 },
  ...{ downloadsPerMonth: 1, imageBytes: 1_000_000, uploadsPerMonth: 3, uploadBytes: 10_000_000 },
  storedBytes: 1024 ** 2,
};

describe('the monthly cost', () => {
  it('charges each part of an amount at the price of its tier', () => {
    const tiers = [{ upTo: 100, price: 3 }, { upTo: 300, price: 2 }, { price: 1 }];
    expect([0, 100, 150, 1_000].map((amount) => tieredCost(amount, tiers))).toEqual([0, 300, 400, 1_400]);
  });

  it('bills the CPU by the share of a core, the waits as they are, rounded up to a millisecond', () => {
    // 1.769 ms of a whole core are 6.112 ms of 512/1769 and 3.056 ms of 1024/1769; each with 4 ms of DynamoDB.
    expect([512, 1024, 1769, 3008].map((size) => billedSeconds(1_769, 1, size))).toEqual([0.011, 0.008, 0.006, 0.006]);
    expect(billedSeconds(1_769, 0, 1769, 300)).toBe(0.302);
  });

  it('is what a hand computes', () => {
    const month = monthlyCost(100_000, BEHAVIOUR, FIGURES, PRICES);
    const near = (amount: number) => expect.closeTo(amount, 6);
    expect(month).toEqual({
      requests: 1_000_000,
      // $0.20 for the requests; 0.5 GB × 11,000 s, 1 GB × 8,000 s and 1769/1024 GB × 6,000 s.
      // Work by time is invoked 8,640 times a month.
      lambda: {
        ...{ 512: near(0.2 + 0.055 + 0.001_728), 1024: near(0.2 + 0.08 + 0.001_728) },
        1769: near(0.2 + 0.103_652_34 + 0.001_728),
      },
      httpApi: near(1),
      // 2 million read and 3 million write units; 97.65625 GiB stored and recoverable.
      dynamoDb: near(0.2 + 3 + 97.656_25 * 0.45),
      // 10 images of 1 MB, and 100 GB of large photos for a day; 300,000 PUT, 400,000 GET.
      s3: near((0.01 + 100) * 0.02 + 1.5 + 0.16),
      // A million answers of 1,000 bytes, 100,000 images of 1 MB.
      egress: near((1 + 100) * 0.1),
      // 0.8 GB of the function for a month, 0.2 GB of the access log for half of one.
      // And 300 bytes for each time that work by time is invoked.
      logs: near((1 + 0.002_592) * 0.5 + (0.9 + 0.002_592) * 0.03),
      metrics: near(3 + 0.2 + 3),
      // One container asks for the secret twelve times an hour.
      secrets: near(0.4 + 720 * 12 * 0.00001),
      cognitoLite: near(450),
      cognitoEssentials: near(1_350),
    });
  });

  it('has the work by time for each device and for each hour, and a year of its history', () => {
    const jobs = {
      devices: 10,
      idleHour: { ...NO_WORK, readUnits: 1_000, writeUnits: 100 },
      lookOfADay: { ...NO_WORK, readUnits: 50 },
      archiveOfADay: { ...NO_WORK, readUnits: 50, puts: 80, putBytes: 10_000 },
    };
    const garden = { days: 100, firstWriteUnits: 40, dailyWriteUnits: 9, storedBytes: 100 * 1024 };
    const month = (figures: Figures) => monthlyCost(1_000, BEHAVIOUR, figures, PRICES);
    const [before, after] = [month(FIGURES), month({ ...FIGURES, garden, jobs })];
    // Of 720 hours, and of 1,000 devices on 30 days, 10 units each; 365 KiB a device in the table.
    const requests = (720 * 1_000 + 1_000 * 30 * 10) * 0.0000001 + 720 * 100 * 0.000001;
    expect(after.dynamoDb - before.dynamoDb).toBeCloseTo(requests + ((1_000 * 365) / 1024 ** 2) * 0.45, 6);
    // 80 files a day; a year of 1,000 bytes a day for each device.
    expect(after.s3 - before.s3).toBeCloseTo(30 * 80 * 0.000005 + 0.365 * 0.02, 6);
  });

  it('counts what an upload writes by the rule of AWS, as the garden’s measurement has it', () => {
    const [figure] = Object.values(FIGURES.routes);
    if (figure === undefined) throw new Error('no figure');
    const routes = { 'POST /telemetry': figure };
    const behaviour = { ...BEHAVIOUR, requestsPerMonth: { 'POST /telemetry': 10 } };
    const dynamoDb = (dailyWriteUnits: number) =>
      monthlyCost(100_000, behaviour, { ...FIGURES, routes, garden: { ...FIGURES.garden, dailyWriteUnits } }, PRICES)
        .dynamoDb;
    expect(dynamoDb(9) - dynamoDb(0)).toBeCloseTo(9, 6);
  });

  it('counts a request above 512 KB twice at HTTP API', () => {
    const [[name = '', figure] = []] = Object.entries(FIGURES.routes);
    if (figure === undefined) throw new Error('no figure');
    const large = { ...FIGURES, routes: { [name]: { ...figure, requestBytes: 600_000 } } };
    expect(monthlyCost(100_000, BEHAVIOUR, large, PRICES).httpApi).toBeCloseTo(2, 6);
  });

  it('refuses a behaviour that asks for a route nobody measured', () => {
    const unknown = { ...BEHAVIOUR, requestsPerMonth: { 'GET /b': 1 } };
    expect(() => monthlyCost(1, unknown, FIGURES, PRICES)).toThrow('GET /b was not measured');
  });

  it('takes its figures from what the benchmark prints', () => {
    const measured = {
      node: 'v24',
      baselines: { empty: { cpuMicroseconds: 1.26 } },
      routes: [
        {
          ...{ route: 'GET /health', cpuMicroseconds: 40.4, loggedBytes: 600, answerBytes: 67 },
          dynamoDb: { calls: 0, readUnits: 0, writeUnits: 0 },
          peer: { cpuMicroseconds: 400, loggedBytes: 1_100 },
        },
      ],
    };
    const figures = figuresOf(JSON.stringify(measured), '2026-11-24', FIGURES);
    expect(figures).toMatchObject({ baselines: { empty: 1.3 }, logBefore: { bytes: 1_100, now: 600 } });
    expect(figures.routes['GET /health']).toMatchObject({ cpuMicroseconds: 40, answerBytes: 67, elsewhereMs: 0 });
  });

  it('is on the page as the kept figures and prices give it ("npm run bench:cost" writes it)', () => {
    expect(readFileSync('docs/costs.md', 'utf8')).toBe(costPage(GARDENER, benchFigures(), priceList()));
  });
});
