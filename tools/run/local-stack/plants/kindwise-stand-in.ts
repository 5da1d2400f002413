import { Hono } from 'hono';
import { type ProviderStandIn, type ReceivedPhoto, receivePhoto, seenOn, serveProvider } from './provider-stand-in.ts';

export const LOCAL_KINDWISE_KEY = 'local-kindwise-key';
const QUESTIONS_PER_PHOTO = 20;

/** plant.id v3: identification with health, and the conversation about it. */
export async function startKindwise(preferredPort?: number): Promise<ProviderStandIn> {
  const received: ReceivedPhoto[] = [];
  const asked = new Map<string, { readonly content: string; readonly type: string; readonly created: string }[]>();
  const app = new Hono();
  app.use(async (c, next) => {
    if (c.req.header('api-key') !== LOCAL_KINDWISE_KEY) return c.text('The specified api key does not exist.', 401);
    return next();
  });

  app.post('/identification', async (c) => {
    const photo = await receivePhoto(c.req.raw);
    if (photo === undefined) return c.text('No images were sent.', 400);
    received.push(photo);
    const seen = seenOn(photo.bytes);
    // A token per request, like the real API: the same photo sent again is a new identification.
    const token = `${seen.id}${String(received.length).padStart(6, '0')}`;
    asked.set(token, []);
    const now = Date.now() / 1000;
    const entity = (name: string) => ({ language: 'en', entity_id: name.toLowerCase().replaceAll(' ', '-') });
    const withHealth = photo.fields['health'] === 'all';
    return c.json(
      {
        access_token: token,
        model_version: 'plant_id:5.0.0',
        custom_id: null,
        input: {
          images: [`https://plant.id/media/imgs/${seen.id}.jpg`],
          datetime: new Date().toISOString(),
          latitude: Number(photo.fields['latitude'] ?? 0) || null,
          longitude: Number(photo.fields['longitude'] ?? 0) || null,
          similar_images: false,
        },
        result: {
          is_plant: { probability: 0.99, threshold: 0.5, binary: true },
          classification: {
            suggestions: seen.plants.map((plant) => ({
              id: plant.name.slice(0, 8),
              ...plant,
              details: entity(plant.name),
            })),
          },
          ...(withHealth
            ? {
                is_healthy: { probability: seen.isHealthy ? 0.9 : 0.2, threshold: 0.525, binary: seen.isHealthy },
                disease: {
                  suggestions: seen.diseases.map((disease) => ({
                    id: disease.name,
                    ...disease,
                    details: entity(disease.name),
                  })),
                  question: {
                    text: 'Is there powder on the leaves?',
                    translation: 'Is there powder on the leaves?',
                    options: {
                      yes: { suggestion_index: 0, entity_id: 'a', name: seen.diseases[0]?.name, translation: 'Yes' },
                      no: { suggestion_index: 1, entity_id: 'b', name: seen.diseases[1]?.name, translation: 'No' },
                    },
                  },
                },
              }
            : {}),
        },
        status: 'COMPLETED',
        sla_compliant_client: true,
        sla_compliant_system: true,
        created: now,
        completed: now + 0.4,
      },
      201,
    );
  });

  app.post('/identification/:token/conversation', async (c) => {
    const messages = asked.get(c.req.param('token'));
    if (messages === undefined) return c.text('Identification not found', 404);
    const { question } = await c.req.json<{ question: string }>();
    const created = new Date().toISOString();
    messages.push({ content: question, type: 'question', created });
    messages.push({
      content: `Water it less and move it into the light. (${messages.length})`,
      type: 'answer',
      created,
    });
    return c.json({
      messages,
      identification: c.req.param('token'),
      remaining_calls: QUESTIONS_PER_PHOTO - messages.length / 2,
      model_parameters: { model: 'demo', temperature: 0.5 },
      feedback: {},
    });
  });
  return serveProvider(app, received, preferredPort);
}
