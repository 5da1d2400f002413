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
    fixed: before.fixed,
    routes: Object.fromEntries(
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
  };
}
