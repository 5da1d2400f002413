import { createHash } from 'node:crypto';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { type StandIn, startStandIn } from '../stand-in-server.ts';

/** What was sent to a provider, for tests. */
export interface ReceivedPhoto {
  readonly bytes: Uint8Array;
  readonly type: string;
  /** The other form and query fields, without API keys. */
  readonly fields: Readonly<Record<string, string>>;
}

export interface ProviderStandIn extends StandIn {
  readonly received: ReceivedPhoto[];
}

export async function serveProvider(
  app: Hono,
  received: ReceivedPhoto[],
  preferredPort?: number,
): Promise<ProviderStandIn> {
  const listen = getRequestListener(app.fetch);
  const standIn = await startStandIn(async (request, response) => listen(request, response), preferredPort);
  return { ...standIn, received };
}

const SECRET_FIELDS = new Set(['api-key']);

/** Returns the photo in a form, and the other fields. */
export async function receivePhoto(request: Request): Promise<ReceivedPhoto | undefined> {
  const form = await request.formData();
  const image = form.get('images');
  if (image === null || typeof image === 'string') return undefined;
  const fields = new Map<string, string>();
  for (const [name, value] of [...form.entries(), ...new URL(request.url).searchParams.entries()]) {
    if (typeof value === 'string' && !SECRET_FIELDS.has(name)) fields.set(name, value);
  }
  const bytes = new Uint8Array(await image.arrayBuffer());
  return { bytes, type: image.type, fields: Object.fromEntries(fields) };
}

/** The known plants. The photo's bytes determine which one it shows. */
const PLANTS = [
  'Solanum lycopersicum',
  'Ficus lyrata',
  'Monstera deliciosa',
  'Ocimum basilicum',
  'Rosa chinensis',
] as const;
const DISEASES = ['Fungi', 'Water deficiency', 'Nutrient deficiency', 'Insecta'] as const;

/** Returns suggestions by probability; the same bytes give the same suggestions. */
export function seenOn(bytes: Uint8Array) {
  const hash = createHash('sha256').update(bytes).digest();
  const from = <T>(list: readonly T[], at: number, count: number): T[] =>
    Array.from({ length: count }, (_, i) => list[((hash[at] ?? 0) + i) % list.length]).flatMap((one) => one ?? []);
  const probabilities = [0.86, 0.09, 0.03];
  const ranked = (names: readonly string[]) =>
    names.map((name, i) => ({ name, probability: probabilities[i] ?? 0.01 }));
  return {
    id: hash.toString('hex').slice(0, 16),
    isHealthy: (hash[1] ?? 0) % 2 === 0,
    plants: ranked(from(PLANTS, 0, 3)),
    diseases: ranked(from(DISEASES, 2, 2)),
  };
}
