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
  /** A string, because other checklists have non-numeric keys. */
  readonly key: string;
}

/** GBIF's worldwide checklist of species. Throws ProviderError. */
export interface Gbif {
  /** Returns undefined for a name that it does not list as a species. */
  match(name: string, signal: AbortSignal): Promise<GbifName | undefined>;
}

/** All names get 2 s together; a call ends earlier, so that slowness can be told from a caller who has left. */
const MATCH_MS = 1_500;
/** GBIF asks callers to identify themselves. */
const USER_AGENT = 'AutoWatering-backend/1';
/** A miss has confidence 100, and a match of higher rank has the genus's key: only these two are the species. */
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
