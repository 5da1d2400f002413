import * as z from 'zod';

const Named = z.looseObject({ name: z.string(), probability: z.number() });

const PlantSuggestion = z.object({
  scientific_name: z.string(),
  canonical_name: z.string().optional(),
  gbif_key: z.string().optional(),
  probability: z.number(),
});

/** The cached part of an identification. The best match follows from the suggestions. */
export const KeptPlantId = z.object({
  provider: z.enum(['kindwise', 'plantnet']),
  /** Most probable first. */
  suggestions: z.array(PlantSuggestion),
});
type KeptPlantId = z.output<typeof KeptPlantId>;

/** The answer of `POST /plantId`. */
export const PlantIdResult = KeptPlantId.extend({ best_match: PlantSuggestion.nullable() });
export type PlantIdResult = z.output<typeof PlantIdResult>;

export function withBestMatch({ provider, suggestions }: KeptPlantId): PlantIdResult {
  return { provider, best_match: suggestions[0] ?? null, suggestions };
}

/** The provider's identification plus fields of our own; the provider's fields are passed through unchanged. */
export const Diagnosis = z.looseObject({
  access_token: z.string().nullable(),
  /** Null when unknown. */
  is_healthy: z.boolean().nullable(),
  degraded: z.literal(true).optional(),
  provider: z.enum(['kindwise', 'plantnet']),
  llm_advice: z.string().nullable(),
  result: z.looseObject({
    classification: z.looseObject({ suggestions: z.array(Named) }),
    disease: z.looseObject({ suggestions: z.array(Named), question: z.unknown().optional() }),
  }),
});
export type Diagnosis = z.output<typeof Diagnosis>;

export type Cached<T> = { readonly fromCache: boolean; readonly result: T };
