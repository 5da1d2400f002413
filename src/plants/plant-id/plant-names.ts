import * as z from 'zod';
import type { Gbif } from '../../platform/plant-providers/gbif.ts';
import { ProviderError } from '../../platform/plant-providers/provider-errors.ts';
import { withTimeLimit } from '../../platform/resilience/time-limit.ts';
import type { PlantsNeeds } from '../plants-needs.ts';

const HIT_LIFE_MS = 24 * 60 * 60 * 1000;
const MISS_LIFE_MS = 60 * 60 * 1000;
/** Names are optional: they arrive within this time or are left out. */
const NAMES_MS = 2_000;
const MOST_NAMES = 5;

const Cached = z.object({ canonicalName: z.string(), key: z.string() }).nullable();

export interface PlantSuggestion {
  readonly scientific_name: string;
  readonly probability: number;
  readonly canonical_name?: string;
  readonly gbif_key?: string;
}

type Named = Pick<PlantSuggestion, 'canonical_name' | 'gbif_key'>;

/** Adds GBIF's names of the plants; leaves out those that do not arrive in time. */
export async function withNames(
  needs: PlantsNeeds,
  gbif: Gbif,
  suggestions: readonly PlantSuggestion[],
): Promise<readonly PlantSuggestion[]> {
  const names = new Map<string, Named>();
  const asked = suggestions.slice(0, MOST_NAMES).map(({ scientific_name: name }) => name);
  try {
    await withTimeLimit(NAMES_MS, (signal) =>
      Promise.all(
        asked.map(async (name) => {
          const found = await lookUp(needs, gbif, name, signal);
          if (found !== null) names.set(name, { canonical_name: found.canonicalName, gbif_key: found.key });
        }),
      ),
    );
  } catch (error) {
    needs.metrics.count('PlantNamesIncomplete');
    needs.log.debug('GBIF did not return all names', {
      reason: error instanceof Error ? error.message : 'unknown',
    });
  }
  return suggestions.map((suggestion) => ({ ...suggestion, ...names.get(suggestion.scientific_name) }));
}

async function lookUp({ cache, health }: PlantsNeeds, gbif: Gbif, name: string, signal: AbortSignal) {
  const cached = await cache.read('gbif', [name], Cached);
  if (cached !== undefined) return cached;
  try {
    const found = (await health.watch('gbif', () => gbif.match(name, signal))) ?? null;
    await cache.write('gbif', [name], found, found === null ? MISS_LIFE_MS : HIT_LIFE_MS);
    return found;
  } catch (error) {
    // One failed name must not cost the others.
    if (error instanceof ProviderError) return null;
    throw error;
  }
}
