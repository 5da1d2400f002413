import * as z from 'zod';
import { callProvider } from './provider-call.ts';

const Match = z.looseObject({
  matchType: z.string(),
  usageKey: z.number().optional(),
  acceptedUsageKey: z.number().optional(),
  canonicalName: z.string().optional(),
});

export interface GbifName {
  readonly canonicalName: string;
  /** A string: other checklists have keys that are no numbers. */
  readonly key: string;
}

/** The name as the world's checklist has it. Throws ProviderError. */
export interface Gbif {
  /** Undefined for a name that is not in it as a species. */
  match(name: string, signal: AbortSignal): Promise<GbifName | undefined>;
}

/** Names have 2 s in all; a call ends a little earlier, so that slowness is told from a caller who has left. */
const MATCH_MS = 1_500;
/** GBIF asks its callers to say who they are. */
const USER_AGENT = 'AutoWatering-backend/1';
/** A miss says confidence 100, and a higher rank gives the key of the genus: only these two are the species. */
const SPECIES_MATCHES = new Set(['EXACT', 'FUZZY']);

export function createGbif(apiBase: string): Gbif {
  return {
    async match(name, signal) {
      const url = new URL(`${apiBase.replace(/\/$/, '')}/v1/species/match`);
      url.searchParams.set('name', name);
      url.searchParams.set('kingdom', 'Plantae');
      const init = { method: 'GET', headers: { 'User-Agent': USER_AGENT } } as const;
      const found = await callProvider({ provider: 'gbif', url, init, timeoutMs: MATCH_MS, signal, schema: Match });
      const key = found.acceptedUsageKey ?? found.usageKey;
      if (!SPECIES_MATCHES.has(found.matchType) || key === undefined || found.canonicalName === undefined)
        return undefined;
      return { canonicalName: found.canonicalName, key: String(key) };
    },
  };
}
