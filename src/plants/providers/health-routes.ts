import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { isoDateTime } from '../../http/fields.ts';
import { isoTime } from '../../platform/clock.ts';
import type { ProviderName } from '../../platform/plant-providers/provider-errors.ts';
import type { Services } from '../../platform/services.ts';
import type { LoadPlants } from '../plants.ts';
import type { ProviderHealth } from './provider-health.ts';

/** These routes are public, so the state is read at most this often. */
const KEEP_MS = 5_000;

const Provider = z.object({
  name: z.string(),
  configured: z.boolean(),
  state: z.enum(['closed', 'half_open', 'open']),
  lastSuccessAt: isoDateTime.nullable(),
  lastFailureAt: isoDateTime.nullable(),
  lastTrouble: z.string().nullable(),
});
type Provider = z.output<typeof Provider>;

const Health = z.object({
  ok: z.boolean(),
  status: z.enum(['healthy', 'degraded']),
  service: z.enum(['aiDoctor', 'plantId']),
  time: isoDateTime,
  provider: Provider.extend({ fallback: Provider }),
});

/** Routes that report which providers are available. They call none, because that would cost credits. */
export function plantHealthRoutes({ clock, secrets }: Services, plants: LoadPlants): readonly Route[] {
  const describe = async (name: ProviderName, key: string | undefined): Promise<Provider> => {
    const health: ProviderHealth = await (await plants()).providerHealth(name);
    return { name, configured: key !== undefined, ...health };
  };
  let kept: { readonly at: number; readonly providers: Promise<readonly [Provider, Provider]> } | undefined;
  const providers = () => {
    if (kept === undefined || clock.now() - kept.at >= KEEP_MS) {
      const read = async () => {
        const { KINDWISE_API_KEY: kindwise, PLANTNET_API_KEY: plantnet } = await secrets.values();
        return Promise.all([describe('kindwise', kindwise), describe('plantnet', plantnet)]);
      };
      const reading = read().catch((error: unknown) => {
        kept = undefined;
        throw error;
      });
      kept = { at: clock.now(), providers: reading };
    }
    return kept.providers;
  };
  const works = ({ configured, state }: Provider) => configured && state !== 'open';

  const route = (path: '/aiDoctorHealth' | '/plantIdHealth', service: 'aiDoctor' | 'plantId', promise: string) =>
    defineRoute({
      method: 'GET',
      path,
      auth: 'public',
      domain: 'plants',
      summary: `Health of ${service}`,
      description:
        `${promise} The state is that of each provider's circuit breaker, shared by all containers; reports are ` +
        `cached for ${KEEP_MS / 1000} s.`,
      responses: { 200: Health, 503: Health },
      errors: [],
    }).handledBy(async (_input, { now }) => {
      const [kindwise, plantnet] = await providers();
      const ok = works(kindwise) || (service === 'plantId' && works(plantnet));
      const status = works(kindwise) ? ('healthy' as const) : ('degraded' as const);
      const body = { ok, status, service, time: isoTime(now), provider: { ...kindwise, fallback: plantnet } };
      return ok ? { status: 200, body } : { status: 503, body };
    });

  return [
    route('/aiDoctorHealth', 'aiDoctor', '503 while Kindwise is unavailable: diagnoses have no fallback.'),
    route('/plantIdHealth', 'plantId', '503 only while neither provider is available.'),
  ];
}
