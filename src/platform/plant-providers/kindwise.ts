import * as z from 'zod';
import type { Secrets } from '../aws/secrets.ts';
import { callProvider } from './provider-call.ts';
import { ProviderError } from './provider-errors.ts';

const Named = z.looseObject({ id: z.string().optional(), name: z.string(), probability: z.number() });
const Suggestions = z.looseObject({ suggestions: z.array(Named) });

/** The fields of Kindwise plant.id v3 that we rely on; all others are passed through. */
export const KindwiseIdentification = z.looseObject({
  access_token: z.string().min(1).max(200),
  model_version: z.string().nullish(),
  status: z.literal('COMPLETED'),
  result: z.looseObject({
    is_plant: z.looseObject({ binary: z.boolean(), probability: z.number() }).nullish(),
    classification: Suggestions,
    is_healthy: z.looseObject({ binary: z.boolean(), probability: z.number() }).nullish(),
    disease: z
      .looseObject({ suggestions: z.array(Named), question: z.unknown() })
      .partial({ question: true })
      .nullish(),
  }),
});
export type KindwiseIdentification = z.output<typeof KindwiseIdentification>;

const Conversation = z.looseObject({
  messages: z.array(z.looseObject({ content: z.string(), type: z.string() })),
  remaining_calls: z.number().nullish(),
});

export interface PhotoToIdentify {
  readonly bytes: Uint8Array;
  readonly type: string;
  /** Rounded by the caller; never taken from the photo itself. */
  readonly latitude: number | undefined;
  readonly longitude: number | undefined;
  readonly language: string | undefined;
}

export interface ConversationAnswer {
  readonly answer: string;
  readonly remainingCalls: number | null;
}

export interface CallLimits {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** plant.id v3. All calls throw ProviderError. */
export interface Kindwise {
  identify(
    photo: PhotoToIdentify,
    options: CallLimits & { readonly withHealth: boolean },
  ): Promise<KindwiseIdentification>;
  ask(accessToken: string, question: string, limits: CallLimits): Promise<ConversationAnswer>;
}

const DETAILS = 'common_names,url,description,taxonomy,gbif_id,local_name,treatment,cause,classification';

export function createKindwise(secrets: Secrets, apiBase: string): Kindwise {
  const headers = async () => {
    const { KINDWISE_API_KEY: key } = await secrets.values();
    if (key === undefined) throw new ProviderError('kindwise', 'not_configured');
    return { 'Api-Key': key };
  };
  const at = (path: string) => new URL(`${apiBase.replace(/\/$/, '')}${path}`);

  return {
    async identify(photo, { withHealth, ...limits }) {
      const url = at('/identification');
      url.searchParams.set('details', DETAILS);
      if (photo.language !== undefined) url.searchParams.set('language', photo.language);
      const form = new FormData();
      form.set('images', new Blob([Buffer.from(photo.bytes)], { type: photo.type }), 'photo');
      if (withHealth) form.set('health', 'all');
      if (photo.latitude !== undefined) form.set('latitude', String(photo.latitude));
      if (photo.longitude !== undefined) form.set('longitude', String(photo.longitude));
      const init = { method: 'POST', headers: await headers(), body: form } as const;
      return callProvider({ provider: 'kindwise', url, init, ...limits, schema: KindwiseIdentification });
    },

    async ask(accessToken, question, limits) {
      const url = at(`/identification/${encodeURIComponent(accessToken)}/conversation`);
      const init = {
        method: 'POST',
        headers: { ...(await headers()), 'Content-Type': 'application/json' },
        body: JSON.stringify({ question }),
      } as const;
      const talk = await callProvider({ provider: 'kindwise', url, init, ...limits, schema: Conversation });
      const answer = talk.messages.findLast(({ type }) => type === 'answer')?.content;
      if (answer === undefined) throw new ProviderError('kindwise', 'malformed', 'no answer');
      return { answer, remainingCalls: talk.remaining_calls ?? null };
    },
  };
}
