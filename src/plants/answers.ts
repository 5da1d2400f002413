import * as z from 'zod';

const Named = z.looseObject({ name: z.string(), probability: z.number() });

/** What is told of a plant; also what is kept of it. */
export const PlantIdResult = z.object({
  provider: z.enum(['kindwise', 'plantnet']),
  best_match: z.string().nullable(),
  suggestions: z.array(
    z.object({
      scientific_name: z.string(),
      canonical_name: z.string().optional(),
      gbif_key: z.string().optional(),
      probability: z.number(),
    }),
  ),
});
export type PlantIdResult = z.output<typeof PlantIdResult>;

/** The provider's identification, with what is ours beside it; the provider's own fields are handed on as they are. */
export const Diagnosis = z.looseObject({
  access_token: z.string().nullable(),
  /** Null while nobody can tell. */
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
