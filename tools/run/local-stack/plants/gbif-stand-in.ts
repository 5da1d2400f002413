import { createHash } from 'node:crypto';
import { Hono } from 'hono';
import { type ProviderStandIn, serveProvider } from './provider-stand-in.ts';

/** GBIF's species match, v1. A miss is also a 200 response, with confidence 100. */
export async function startGbif(preferredPort?: number): Promise<ProviderStandIn> {
  const app = new Hono();
  app.get('/v1/species/match', (c) => {
    const name = c.req.query('name') ?? '';
    if (!/^[A-Z][a-z]+ [a-z]+$/.test(name)) return c.json({ matchType: 'NONE', confidence: 100, synonym: false });
    const usageKey = 2_000_000 + (createHash('sha256').update(name).digest().readUInt16BE(0) % 1_000_000);
    return c.json({
      usageKey,
      scientificName: `${name} L.`,
      canonicalName: name,
      rank: 'SPECIES',
      status: 'ACCEPTED',
      confidence: 98,
      matchType: 'EXACT',
      kingdom: 'Plantae',
      synonym: false,
    });
  });
  return serveProvider(app, [], preferredPort);
}
