import type { UsageLimits } from '../../platform/plant-providers/plants-config.ts';
import { type Cached, KeptPlantId, type PlantIdResult, withBestMatch } from '../answers.ts';
import type { Deadline } from '../deadline.ts';
import type { PhotoRequest } from '../photo/photo-request.ts';
import type { PlantsNeeds } from '../plants-needs.ts';
import { type Identified, identifyPhoto } from '../providers/identification.ts';
import { type Metered, metered } from '../usage/metered.ts';
import { type PlantSuggestion, withNames } from './plant-names.ts';

const RESULT_LIFE_MS = 7 * 24 * 60 * 60 * 1000;
const MOST_SUGGESTIONS = 5;

/** Identifies the plant on a photo. */
export async function identifyPlant(
  needs: PlantsNeeds,
  request: PhotoRequest,
  limits: UsageLimits,
  deadline: Deadline,
): Promise<Metered<Cached<PlantIdResult>>> {
  const { photo, photoHash, signal, uid } = request;
  const asked = [photoHash, photo.latitude ?? null, photo.longitude ?? null];
  const cached = await needs.cache.read('plantId', asked, KeptPlantId);
  if (cached !== undefined) return { outcome: 'done', result: { fromCache: true, result: withBestMatch(cached) } };
  return metered(needs, { uid, feature: 'plantId', limits }, async () => {
    const found = await identifyPhoto(needs, photo, { deadline, signal, withHealth: false });
    const { gbif } = await needs.providers();
    const suggestions = await withNames(needs, gbif, suggestionsOf(found));
    const kept = { provider: found.provider, suggestions: [...suggestions] };
    await needs.cache.write('plantId', asked, kept, RESULT_LIFE_MS);
    return { fromCache: false, result: withBestMatch(kept) };
  });
}

export function suggestionsOf(found: Identified): readonly PlantSuggestion[] {
  const plain =
    found.provider === 'kindwise'
      ? found.identification.result.classification.suggestions.map(({ name, probability }) => ({
          scientific_name: name,
          probability,
        }))
      : found.suggestions.map(({ scientificName, probability }) => ({ scientific_name: scientificName, probability }));
  return plain.sort((a, b) => b.probability - a.probability).slice(0, MOST_SUGGESTIONS);
}
