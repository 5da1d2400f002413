import * as z from 'zod';
import type { Secrets } from '../aws/secrets.ts';
import type { CallLimits, PhotoToIdentify } from './kindwise.ts';
import { callProvider } from './provider-call.ts';
import { ProviderError } from './provider-errors.ts';

/** The fields of Pl@ntNet v2 that we rely on. */
const Identification = z.looseObject({
  results: z.array(
    z.looseObject({
      score: z.number(),
      species: z.looseObject({ scientificNameWithoutAuthor: z.string() }),
      // Arrives as a number or as text.
      gbif: z.looseObject({ id: z.union([z.string(), z.number()]) }).nullish(),
    }),
  ),
});

export interface PlantnetSuggestion {
  readonly scientificName: string;
  readonly probability: number;
}

/** Pl@ntNet v2: the fallback while Kindwise is unavailable. Throws ProviderError. */
export interface Plantnet {
  /** Returns an empty list when it finds no plant on the photo. */
  identify(photo: PhotoToIdentify, limits: CallLimits): Promise<readonly PlantnetSuggestion[]>;
}

const MOST_SUGGESTIONS = 5;

export function createPlantnet(secrets: Secrets, apiBase: string): Plantnet {
  return {
    async identify(photo, limits) {
      if (photo.type !== 'image/jpeg' && photo.type !== 'image/png') throw new ProviderError('plantnet', 'unsupported');
      const { PLANTNET_API_KEY: key } = await secrets.values();
      if (key === undefined) throw new ProviderError('plantnet', 'not_configured');
      const url = new URL(`${apiBase.replace(/\/$/, '')}/v2/identify/all`);
      url.searchParams.set('api-key', key);
      url.searchParams.set('nb-results', String(MOST_SUGGESTIONS));
      // It takes a language without a country.
      if (photo.language !== undefined) url.searchParams.set('lang', photo.language.slice(0, 2));
      const form = new FormData();
      form.set('images', new Blob([Buffer.from(photo.bytes)], { type: photo.type }), 'photo');
      form.set('organs', 'auto');
      const { results } = await callProvider({
        provider: 'plantnet',
        url,
        init: { method: 'POST', body: form },
        ...limits,
        schema: Identification,
        instead: noPlant,
      });
      return results.slice(0, MOST_SUGGESTIONS).map(({ score, species }) => ({
        scientificName: species.scientificNameWithoutAuthor,
        probability: score,
      }));
    },
  };
}

/** 404 with this message is an answer, "no plant here"; any other 404 is a fault (facts: Pl@ntNet). */
function noPlant(status: number, body: unknown): z.output<typeof Identification> | undefined {
  if (status !== 404 || typeof body !== 'object' || body === null || !('message' in body)) return undefined;
  return body.message === 'Species not found' ? { results: [] } : undefined;
}
