import { Hono } from 'hono';
import { type ProviderStandIn, type ReceivedPhoto, receivePhoto, seenOn, serveProvider } from './provider-stand-in.ts';

export const LOCAL_PLANTNET_KEY = 'local-plantnet-key';

/** Pl@ntNet v2, including its 404 for a photo without a plant. */
export async function startPlantnet(preferredPort?: number): Promise<ProviderStandIn> {
  const received: ReceivedPhoto[] = [];
  const app = new Hono();

  app.post('/v2/identify/:project', async (c) => {
    if (c.req.query('api-key') !== LOCAL_PLANTNET_KEY) {
      return c.json({ statusCode: 401, error: 'Unauthorized', message: 'Invalid api-key' }, 401);
    }
    const photo = await receivePhoto(c.req.raw);
    if (photo === undefined)
      return c.json({ statusCode: 400, error: 'Bad Request', message: 'images is required' }, 400);
    if (photo.type !== 'image/jpeg' && photo.type !== 'image/png') {
      return c.json({ statusCode: 415, error: 'Unsupported Media Type', message: 'only JPEG and PNG' }, 415);
    }
    received.push(photo);
    const { plants, id } = seenOn(photo.bytes);
    return c.json({
      query: {
        project: c.req.param('project'),
        images: [id],
        organs: ['auto'],
        includeRelatedImages: false,
        noReject: false,
      },
      predictedOrgans: [{ image: id, filename: 'photo', organ: 'leaf', score: 0.8 }],
      language: 'en',
      preferedReferential: 'k-world-flora',
      bestMatch: `${plants[0]?.name} L.`,
      results: plants.map(({ name, probability }, i) => ({
        score: probability,
        species: {
          scientificNameWithoutAuthor: name,
          scientificNameAuthorship: 'L.',
          scientificName: `${name} L.`,
          genus: {
            scientificNameWithoutAuthor: name.split(' ')[0],
            scientificNameAuthorship: '',
            scientificName: name.split(' ')[0],
          },
          family: { scientificNameWithoutAuthor: 'Familia', scientificNameAuthorship: '', scientificName: 'Familia' },
          commonNames: [],
        },
        // Both forms are seen in the wild.
        gbif: i === 0 ? { id: '2930137' } : { id: 2930137 + i },
        powo: null,
      })),
      version: '2026-02-17 (7.4)',
      remainingIdentificationRequests: 400,
    });
  });
  return serveProvider(app, received, preferredPort);
}
