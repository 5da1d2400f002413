import * as z from 'zod';
import type { FleetDevices } from '../../fleet/index.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ownDevice } from '../own-device.ts';
import { DeviceParams, Milliseconds, MOST_DAYS_OF_ROWS, StretchFields, stretchOf } from '../reading/reading-fields.ts';
import type { TelemetryStore } from '../store/telemetry-store.ts';
import { INSIGHT_BASES, INSIGHT_KINDS, type Insight, insightName } from './insight.ts';
import { readObserved } from './read-observed.ts';
import { insightsIn } from './rules.ts';

const MOST_SHOWN = 200;

const ShownInsight = z.object({
  insight_id: z.string().meta({ description: 'Stays the same while its beginning does' }),
  kind: z.enum(INSIGHT_KINDS),
  channel: z.number().nullable(),
  severity: z.enum(['info', 'warning', 'danger', 'critical']),
  since_at: Milliseconds,
  until_at: Milliseconds.nullable(),
  rests_on: z.array(z.enum(INSIGHT_BASES)),
  is_estimate: z.boolean(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])),
});

/** What the evidence says about a device. */
export function insightsRoute(fleet: Pick<FleetDevices, 'find'>, store: TelemetryStore): Route {
  return defineRoute({
    method: 'GET',
    path: '/telemetry/devices/{serial}/insights',
    auth: 'cognito',
    openToPeers: true,
    domain: 'telemetry',
    summary: "Tells what a device's evidence says: leaks, locks, litres, savings",
    description:
      'What was so between `from` and `to` (by default the 30 days until now, at most ' +
      `${MOST_DAYS_OF_ROWS}), as seen from \`to\`: the worst kinds first, at most ${MOST_SHOWN}. \`until_at\` is null while it ` +
      'goes on; what nobody saw end was over when it was last seen. `rests_on` names the evidence, `is_estimate` says ' +
      'whether figures are estimated, `facts` are figures and short words by kind, such as `retry_at` of a `lock`, ' +
      '`litres` of `saved`, `percent` of `high_use`. Nothing is said where the evidence is thin: no insight does not mean ' +
      'that all is well.',
    rateLimit: { requests: 60, windowSeconds: 600 },
    params: DeviceParams,
    query: z.object(StretchFields),
    responses: {
      200: z.object({
        ok: z.literal(true),
        from: Milliseconds,
        to: Milliseconds,
        insights: z.array(ShownInsight),
      }),
    },
    errors: ['device_not_found'],
  }).handledBy(async ({ caller: { uid }, params, query }, { now }) => {
    const stretch = stretchOf(query, now, MOST_DAYS_OF_ROWS);
    const { hwId } = await ownDevice(fleet, uid, params.serial);
    const found = insightsIn(await readObserved(store, { uid, hwId }, stretch));
    return { status: 200, body: { ok: true, ...stretch, insights: found.slice(0, MOST_SHOWN).map(shown) } };
  });
}

function shown(insight: Insight): z.input<typeof ShownInsight> {
  const { kind, channel, severity, since, until, restsOn, isEstimate, facts } = insight;
  return {
    ...{ insight_id: insightName(insight), kind, channel, severity, since_at: since, until_at: until },
    ...{ rests_on: [...restsOn], is_estimate: isEstimate, facts: { ...facts } },
  };
}
