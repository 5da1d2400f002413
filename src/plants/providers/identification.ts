import type { KindwiseIdentification, PhotoToIdentify } from '../../platform/plant-providers/kindwise.ts';
import type { PlantnetSuggestion } from '../../platform/plant-providers/plantnet.ts';
import { ProviderError } from '../../platform/plant-providers/provider-errors.ts';
import type { Deadline } from '../deadline.ts';
import type { PlantsNeeds } from '../plants-needs.ts';

/** Kindwise's share of the time; the rest is for the fallback. */
const FIRST_TRY_MS = 11_000;
/** With less time left, a call is not worth starting. */
const WORTHWHILE_MS = 1_000;

export type Identified =
  | { readonly provider: 'kindwise'; readonly identification: KindwiseIdentification }
  | { readonly provider: 'plantnet'; readonly suggestions: readonly PlantnetSuggestion[] };

export interface IdentifyOptions {
  readonly deadline: Deadline;
  readonly signal: AbortSignal;
  readonly withHealth: boolean;
}

/**
 * Asks Kindwise, and Pl@ntNet when Kindwise is failing, slow or out of credits. Each is called only while its circuit
 * is closed, so that an outage delays a few requests and not all of them.
 *
 * @throws ProviderError with the more telling reason, when neither answers
 */
export async function identifyPhoto(
  needs: PlantsNeeds,
  photo: PhotoToIdentify,
  { deadline, signal, withHealth }: IdentifyOptions,
): Promise<Identified> {
  const { kindwise, plantnet } = await needs.providers();
  const limits = (mostMs: number) => ({ timeoutMs: Math.max(1, Math.min(mostMs, deadline.leftToIdentify())), signal });
  try {
    const identification = await needs.health.watch('kindwise', () =>
      kindwise.identify(photo, { ...limits(FIRST_TRY_MS), withHealth }),
    );
    return { provider: 'kindwise', identification };
  } catch (first) {
    if (!(first instanceof ProviderError) || first.reason === 'cancelled') throw first;
    if (deadline.leftToIdentify() < WORTHWHILE_MS) throw first;
    try {
      const suggestions = await needs.health.watch('plantnet', () =>
        plantnet.identify(photo, limits(deadline.leftToIdentify())),
      );
      needs.metrics.count('PlantFallback', { reason: first.reason });
      return { provider: 'plantnet', suggestions };
    } catch (second) {
      if (!(second instanceof ProviderError)) throw second;
      throw isAboutItself(second) ? second : first;
    }
  }
}

/** Checks whether the fallback was really called; otherwise the first provider's error is the one to report. */
function isAboutItself({ reason }: ProviderError): boolean {
  return reason !== 'unsupported' && reason !== 'not_configured' && reason !== 'circuit_open';
}
