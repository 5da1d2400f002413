import type { KindwiseIdentification } from '../../platform/plant-providers/kindwise.ts';
import type { UsageLimits } from '../../platform/plant-providers/plants-config.ts';
import { ProviderError } from '../../platform/plant-providers/provider-errors.ts';
import { type Cached, Diagnosis } from '../answers.ts';
import type { Deadline } from '../deadline.ts';
import type { PhotoRequest } from '../photo/photo-request.ts';
import { suggestionsOf } from '../plant-id/plant-id.ts';
import type { PlantsNeeds } from '../plants-needs.ts';
import { identifyPhoto } from '../providers/identification.ts';
import { type Metered, metered } from '../usage/metered.ts';

const RESULT_LIFE_MS = 24 * 60 * 60 * 1000;
/** With less time left, the advice would be cut off. */
const WORTHWHILE_MS = 3_000;
/** Reserved for writing the answer. */
const RESERVE_MS = 1_000;

export interface DoctorRequest extends PhotoRequest {
  /** As the user describes them. */
  readonly symptoms: string | undefined;
}

/** Diagnoses the plant on a photo and advises what to do. */
export async function diagnosePlant(
  needs: PlantsNeeds,
  request: DoctorRequest,
  limits: UsageLimits,
  deadline: Deadline,
): Promise<Metered<Cached<Diagnosis>>> {
  const { photo, photoHash, uid, symptoms } = request;
  // The answer carries the token of one user's conversation, so it is cached per user.
  const asked = [
    photoHash,
    uid,
    photo.latitude ?? null,
    photo.longitude ?? null,
    photo.language ?? null,
    symptoms ?? null,
  ];
  const cached = await needs.cache.read('aiDoctor', asked, Diagnosis);
  if (cached !== undefined) return { outcome: 'done', result: { fromCache: true, result: cached } };
  return metered(
    needs,
    { uid, feature: 'aiDoctor', limits },
    async () => {
      const result = await diagnose(needs, request, deadline);
      if (result.degraded !== true) await needs.cache.write('aiDoctor', asked, result, RESULT_LIFE_MS);
      return { fromCache: false, result };
    },
    // Without a diagnosis the user did not get what they asked for.
    ({ result }) => result.degraded !== true,
  );
}

async function diagnose(needs: PlantsNeeds, request: DoctorRequest, deadline: Deadline): Promise<Diagnosis> {
  const { photo, signal, uid } = request;
  const found = await identifyPhoto(needs, photo, { deadline, signal, withHealth: true });
  if (found.provider === 'plantnet') {
    return {
      access_token: null,
      is_healthy: null,
      degraded: true,
      provider: 'plantnet',
      llm_advice: null,
      result: {
        classification: {
          suggestions: suggestionsOf(found).map(({ scientific_name: name, probability }) => ({ name, probability })),
        },
        disease: { suggestions: [], question: null },
      },
    };
  }
  const { identification } = found;
  await needs.conversations.open(identification.access_token, uid, needs.now());
  return {
    ...identification,
    is_healthy: identification.result.is_healthy?.binary ?? null,
    provider: 'kindwise',
    llm_advice: await advice(needs, request, identification, deadline),
    result: {
      ...identification.result,
      disease: { question: null, suggestions: [], ...identification.result.disease },
    },
  };
}

/** Asks what to do, if enough time is left; otherwise the diagnosis comes without advice. */
async function advice(
  needs: PlantsNeeds,
  { symptoms, signal, photo }: DoctorRequest,
  { access_token: token, result }: KindwiseIdentification,
  deadline: Deadline,
): Promise<string | null> {
  const timeoutMs = deadline.left() - RESERVE_MS;
  if (timeoutMs < WORTHWHILE_MS || result.is_plant?.binary === false) {
    needs.metrics.count('AdviceLeftOut', { reason: timeoutMs < WORTHWHILE_MS ? 'no_time' : 'no_plant' });
    return null;
  }
  try {
    const { kindwise } = await needs.providers();
    return (await kindwise.ask(token, questionFor(symptoms, photo.language), { timeoutMs, signal })).answer;
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    needs.metrics.count('AdviceLeftOut', { reason: error.reason });
    return null;
  }
}

function questionFor(symptoms: string | undefined, language: string | undefined): string {
  return [
    'What should the owner of this plant do now? Answer in a few short steps.',
    ...(symptoms === undefined ? [] : [`The owner says: ${symptoms}`]),
    ...(language === undefined ? [] : [`Answer in the language with the code ${language}.`]),
  ].join('\n');
}
