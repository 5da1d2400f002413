import { readFileSync } from 'node:fs';
import * as z from 'zod';

const RouteFigure = z.object({
  cpuMicroseconds: z.number(),
  calls: z.number(),
  readUnits: z.number(),
  writeUnits: z.number(),
  loggedBytes: z.number(),
  answerBytes: z.number(),
  requestBytes: z.number(),
  /** Time spent waiting for providers and Stripe. */
  elsewhereMs: z.number().default(0),
});

const JobWork = z.object({
  calls: z.number(),
  readUnits: z.number(),
  writeUnits: z.number(),
  cpuMicroseconds: z.number(),
  puts: z.number(),
  putBytes: z.number(),
});
export type JobFigure = z.output<typeof JobWork>;
const Jobs = z.object({ devices: z.number(), idleHour: JobWork, lookOfADay: JobWork, archiveOfADay: JobWork });

const Garden = z.object({
  /** Of one device that was read in full and then every day. */
  days: z.number(),
  firstWriteUnits: z.number(),
  /** By AWS's rule, which rounds each item for itself. */
  dailyWriteUnits: z.number(),
  storedBytes: z.number(),
});

const Figures = z.object({
  measured: z.string(),
  node: z.string(),
  /** CPU of the bare baselines in the same run. */
  baselines: z.record(z.string(), z.number()),
  /** Bytes logged per request: with log and metrics on separate lines, and on one line. */
  logBefore: z.object({ bytes: z.number(), now: z.number() }),
  fixed: z.object({
    customMetrics: z.number(),
    alarms: z.number(),
    dashboards: z.number(),
    secrets: z.number(),
    releases: z.number(),
    platformLogBytes: z.number(),
    accessLogBytes: z.number(),
    answerHeaderBytes: z.number(),
    logRetentionDays: z.number(),
    accessLogRetentionDays: z.number(),
  }),
  routes: z.record(z.string(), RouteFigure),
  garden: Garden,
  jobs: Jobs,
});
export type Figures = z.output<typeof Figures>;

export const FIGURES_FILE = new URL('./figures.json', import.meta.url);

/** Reads the benchmark's figures that are checked in. */
export function benchFigures(): Figures {
  return Figures.parse(JSON.parse(readFileSync(FIGURES_FILE, 'utf8')));
}

const Measured = z.object({
  node: z.string(),
  baselines: z.record(z.string(), z.looseObject({ cpuMicroseconds: z.number() })),
  routes: z.array(
    z.looseObject({
      route: z.string(),
      cpuMicroseconds: z.number(),
      loggedBytes: z.number(),
      answerBytes: z.number(),
      dynamoDb: z.object({ calls: z.number(), readUnits: z.number(), writeUnits: z.number() }),
      peer: z.looseObject({ loggedBytes: z.number(), cpuMicroseconds: z.number() }).optional(),
    }),
  ),
});

const PHOTO_REQUEST_BYTES = 300_400;
const REQUEST_BYTES = 2_000;
/** Assumed waiting time beyond DynamoDB: 2 s for the providers, 300 ms for Stripe. */
const ELSEWHERE_MS: Readonly<Record<string, number>> = {
  'POST /plantId': 2_000,
  'POST /aiDoctor': 2_000,
  'POST /stripeWebhook': 300,
  'GET /subscriptionStatus': 300,
};

/**
 * Reduces the output of `npm run bench -- --routes --json` to the figures that are checked in.
 *
 * @param before the values that are not measured are taken from here
 */
export function figuresOf(text: string, date: string, before: Figures): Figures {
  const { node, baselines, routes } = Measured.parse(JSON.parse(text));
  const round = (value: number, digits = 0) => Number(value.toFixed(digits));
  const isPhoto = (route: string) => route === 'POST /plantId' || route === 'POST /aiDoctor';
  const health = routes.find(({ route }) => route === 'GET /health');
  return {
    measured: date,
    node,
    baselines: Object.fromEntries(
      Object.entries(baselines).map(([name, { cpuMicroseconds }]) => [name, round(cpuMicroseconds, 1)]),
    ),
    logBefore: {
      bytes: round(health?.peer?.loggedBytes ?? before.logBefore.bytes),
      now: round(health?.loggedBytes ?? before.logBefore.now),
    },
    ...{ fixed: before.fixed, garden: before.garden, jobs: before.jobs },
    routes: {
      // What was left out this time keeps its figures.
      ...before.routes,
      ...Object.fromEntries(
        routes.map(({ route, cpuMicroseconds, loggedBytes, answerBytes, dynamoDb }) => [
          route,
          {
            cpuMicroseconds: round(cpuMicroseconds),
            ...dynamoDb,
            loggedBytes: round(loggedBytes),
            answerBytes: round(answerBytes),
            requestBytes: isPhoto(route) ? PHOTO_REQUEST_BYTES : REQUEST_BYTES,
            elsewhereMs: ELSEWHERE_MS[route] ?? 0,
          },
        ]),
      ),
    },
  };
}

const MeasuredSyncs = z.object({ syncs: z.number(), writeUnits: z.number() });
const MeasuredGarden = z.object({
  first: MeasuredSyncs,
  daily: MeasuredSyncs,
  chunks: z.object({ storedBytes: z.number() }),
});

/** Takes the output of `npm run bench -- --garden --json` over, and its write units for the uploads. */
export function withGarden(text: string, before: Figures): Figures {
  const { first, daily, chunks } = MeasuredGarden.parse(JSON.parse(text));
  const garden = {
    ...{ days: daily.syncs, firstWriteUnits: first.writeUnits },
    dailyWriteUnits: Number((daily.writeUnits / daily.syncs).toFixed(2)),
    storedBytes: chunks.storedBytes,
  };
  return { ...before, garden };
}

/** Takes the output of `npm run bench -- --jobs --json` over. */
export function withJobs(text: string, before: Figures): Figures {
  return { ...before, jobs: Jobs.parse(JSON.parse(text)) };
}

/** What a request consumes; uploads by AWS's rule, since DynamoDB Local rounds a transaction up as a whole. */
export function routeFigure({ routes, garden }: Figures, route: string): z.output<typeof RouteFigure> | undefined {
  const figure = routes[route];
  if (figure === undefined) return undefined;
  if (route === 'POST /telemetry') return { ...figure, writeUnits: garden.dailyWriteUnits };
  return route === 'POST /telemetry, first sync' ? { ...figure, writeUnits: garden.firstWriteUnits } : figure;
}
