import * as z from 'zod';
import { defineRoute, type Route } from '../http/define-route.ts';
import { isoDateTime } from '../http/fields.ts';
import { isoTime } from '../platform/clock.ts';
import type { Services } from '../platform/services.ts';
import { type Check, type CheckResult, createChecks, runCheck } from './checks.ts';

/** These routes are public, so their checks run at most this often. */
const KEEP_MS = 5_000;

const Report = z.object({
  ok: z.boolean(),
  status: z.enum(['healthy', 'degraded']),
  subsystem: z.enum(['ota', 'stripe', 'provisioning']).optional(),
  timestamp: isoDateTime,
  latencyMs: z.number(),
  checks: z.array(
    z.object({
      name: z.string(),
      ok: z.boolean(),
      latencyMs: z.number(),
      error: z.enum(['timeout', 'unavailable', 'not_configured']).optional(),
    }),
  ),
});
type Report = z.output<typeof Report>;

const StripeReport = Report.extend({
  webhooks: z
    .object({
      lastEventAt: isoDateTime.nullable(),
      lastEventAgeSeconds: z.number().nullable(),
      failedEvents: z.number(),
      keptEvents: z.number(),
    })
    .nullable(),
});

/** State of Stripe's webhook, supplied by the subscriptions domain; times in ms since 1970. */
export interface WebhookFacts {
  readonly lastEventAt: number | null;
  readonly failedEvents: number;
  readonly keptEvents: number;
}

/** Routes that report the health of everything the product depends on. */
export function healthRoutes(services: Services, readWebhookFacts: () => Promise<WebhookFacts>): readonly Route[] {
  const { clock } = services;
  const checks = createChecks(services);

  const report = (path: `/${string}`, summary: string, subsystem: Report['subsystem'], list: readonly Check[]) => {
    const inspect = createInspection(services, subsystem, list);
    return defineRoute({
      method: 'GET',
      path,
      auth: 'public',
      domain: 'health',
      summary,
      description:
        `200 when everything answers, else 503 with the same body. Every check has its own time limit; results are ` +
        `cached for ${KEEP_MS / 1000} s.`,
      responses: { 200: Report, 503: Report },
      errors: [],
    }).handledBy(async () => {
      const body = await inspect(clock.now());
      return body.ok ? { status: 200, body } : { status: 503, body };
    });
  };

  let facts: WebhookFacts | undefined;
  const webhooks: Check = {
    name: 'webhook-ledger',
    run: async () => {
      facts = undefined;
      facts = await readWebhookFacts();
    },
  };
  const inspectStripe = createInspection(services, 'stripe', [
    checks.secret('STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'),
    checks.stripe,
    webhooks,
  ]);
  const stripeReport = defineRoute({
    method: 'GET',
    path: '/health/stripe',
    auth: 'public',
    domain: 'health',
    summary: 'Whether payments can be taken',
    description:
      'Like the other reports, plus the state of the webhook: when the last event arrived, how many failed and need ' +
      'a replay, and how many wait until their customer has an owner. Counts stop at 1000.',
    responses: { 200: StripeReport, 503: StripeReport },
    errors: [],
  }).handledBy(async () => {
    const report = await inspectStripe(clock.now());
    const body = { ...report, webhooks: facts === undefined ? null : described(facts, clock.now()) };
    return body.ok ? { status: 200, body } : { status: 503, body };
  });

  const tables = [checks.usersTable, checks.provisioningTable, checks.releasesTable, checks.rateLimitsTable];
  return [
    report('/health/deep', 'Whether everything the product needs answers', undefined, [
      ...tables,
      checks.bucket,
      checks.secret('FACTORY_PROVISION_TOKEN', 'OTA_ADMIN_TOKEN', 'RATE_LIMIT_SALT'),
      checks.signIn,
    ]),
    report('/health/ota', 'Whether updates can be offered and downloaded', 'ota', [
      checks.releasesTable,
      checks.bucket,
      checks.secret('OTA_ADMIN_TOKEN'),
    ]),
    stripeReport,
    report('/health/provision', 'Whether devices can be provisioned', 'provisioning', [
      checks.provisioningTable,
      checks.secret('FACTORY_PROVISION_TOKEN'),
    ]),
  ];
}

function described({ lastEventAt, failedEvents, keptEvents }: WebhookFacts, now: number) {
  return {
    lastEventAt: lastEventAt === null ? null : isoTime(lastEventAt),
    lastEventAgeSeconds: lastEventAt === null ? null : Math.max(0, Math.round((now - lastEventAt) / 1000)),
    failedEvents,
    keptEvents,
  };
}

/** Runs the checks in parallel and caches the report for all callers of the container. */
function createInspection(services: Services, subsystem: Report['subsystem'], list: readonly Check[]) {
  let kept: { readonly at: number; readonly report: Promise<Report> } | undefined;
  return (now: number): Promise<Report> => {
    if (kept === undefined || now - kept.at >= KEEP_MS) {
      kept = { at: now, report: inspectNow(services, subsystem, list, now) };
    }
    return kept.report;
  };
}

async function inspectNow(
  services: Services,
  subsystem: Report['subsystem'],
  list: readonly Check[],
  now: number,
): Promise<Report> {
  const started = performance.now();
  const results: CheckResult[] = await Promise.all(list.map((check) => runCheck(check, services.log)));
  const ok = results.every((result) => result.ok);
  return {
    ok,
    status: ok ? 'healthy' : 'degraded',
    ...(subsystem === undefined ? {} : { subsystem }),
    timestamp: isoTime(now),
    latencyMs: Math.round(performance.now() - started),
    checks: results,
  };
}
