import { type EnvironmentReader, WEB_ADDRESS } from '../environment.ts';

export type PlantFeature = 'aiDoctor' | 'aiDoctorFollowUp' | 'plantId';
export type Plan = 'free' | 'premium';

/** How often a feature may be used; -1 is unlimited. */
export interface UsageLimits {
  readonly day: number;
  readonly month: number;
}

export interface PlantsConfig {
  readonly kindwiseApiBase: string;
  readonly plantnetApiBase: string;
  readonly gbifApiBase: string;
  readonly requiresPremium: { readonly aiDoctor: boolean; readonly plantId: boolean };
  readonly limits: Readonly<Record<PlantFeature, Readonly<Record<Plan, UsageLimits>>>>;
}

/** Reads usage limits, premium requirements and the providers' addresses. */
export function plantsConfig(read: EnvironmentReader): PlantsConfig {
  const limits = (feature: string, day: number, month: number) => ({
    free: usageLimits(read, feature, 'FREE', 0, 0),
    premium: usageLimits(read, feature, 'PREMIUM', day, month),
  });
  return {
    kindwiseApiBase: read.optional('KINDWISE_API_BASE', WEB_ADDRESS) ?? 'https://plant.id/api/v3',
    plantnetApiBase: read.optional('PLANTNET_API_BASE', WEB_ADDRESS) ?? 'https://my-api.plantnet.org',
    gbifApiBase: read.optional('GBIF_API_BASE', WEB_ADDRESS) ?? 'https://api.gbif.org',
    requiresPremium: {
      aiDoctor: read.flag('AI_DOCTOR_REQUIRES_PREMIUM', true),
      plantId: read.flag('PLANT_ID_REQUIRES_PREMIUM', true),
    },
    limits: {
      aiDoctor: limits('AI_DOCTOR', 5, 50),
      aiDoctorFollowUp: limits('AI_DOCTOR_FOLLOW_UP', 20, 200),
      plantId: limits('PLANT_ID', 20, 200),
    },
  };
}

/** -1 is unlimited. */
const LIMIT = { min: -1, max: 1_000_000 } as const;

function usageLimits(
  read: EnvironmentReader,
  feature: string,
  plan: 'FREE' | 'PREMIUM',
  day: number,
  month: number,
): UsageLimits {
  return {
    day: read.number(`${feature}_DAILY_LIMIT_${plan}`, LIMIT, day),
    month: read.number(`${feature}_MONTHLY_LIMIT_${plan}`, LIMIT, month),
  };
}
