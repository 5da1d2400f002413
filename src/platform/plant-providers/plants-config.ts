import * as z from 'zod';

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

/** -1 is unlimited. */
const limit = (standard: number) => z.coerce.number().int().min(-1).max(1_000_000).default(standard);
const flag = (standard: 'true' | 'false') => z.enum(['true', 'false']).default(standard);

/** Variables for usage limits, premium requirements and the providers' addresses. */
export const plantFields = {
  KINDWISE_API_BASE: z.url().default('https://plant.id/api/v3'),
  PLANTNET_API_BASE: z.url().default('https://my-api.plantnet.org'),
  GBIF_API_BASE: z.url().default('https://api.gbif.org'),
  AI_DOCTOR_REQUIRES_PREMIUM: flag('true'),
  PLANT_ID_REQUIRES_PREMIUM: flag('true'),
  AI_DOCTOR_DAILY_LIMIT_FREE: limit(0),
  AI_DOCTOR_DAILY_LIMIT_PREMIUM: limit(5),
  AI_DOCTOR_MONTHLY_LIMIT_FREE: limit(0),
  AI_DOCTOR_MONTHLY_LIMIT_PREMIUM: limit(50),
  AI_DOCTOR_FOLLOW_UP_DAILY_LIMIT_FREE: limit(0),
  AI_DOCTOR_FOLLOW_UP_DAILY_LIMIT_PREMIUM: limit(20),
  AI_DOCTOR_FOLLOW_UP_MONTHLY_LIMIT_FREE: limit(0),
  AI_DOCTOR_FOLLOW_UP_MONTHLY_LIMIT_PREMIUM: limit(200),
  PLANT_ID_DAILY_LIMIT_FREE: limit(0),
  PLANT_ID_DAILY_LIMIT_PREMIUM: limit(20),
  PLANT_ID_MONTHLY_LIMIT_FREE: limit(0),
  PLANT_ID_MONTHLY_LIMIT_PREMIUM: limit(200),
};

const PlantValues = z.object(plantFields);

export function plantsConfig(values: z.output<typeof PlantValues>): PlantsConfig {
  return {
    kindwiseApiBase: values.KINDWISE_API_BASE,
    plantnetApiBase: values.PLANTNET_API_BASE,
    gbifApiBase: values.GBIF_API_BASE,
    requiresPremium: {
      aiDoctor: values.AI_DOCTOR_REQUIRES_PREMIUM === 'true',
      plantId: values.PLANT_ID_REQUIRES_PREMIUM === 'true',
    },
    limits: {
      aiDoctor: {
        free: { day: values.AI_DOCTOR_DAILY_LIMIT_FREE, month: values.AI_DOCTOR_MONTHLY_LIMIT_FREE },
        premium: { day: values.AI_DOCTOR_DAILY_LIMIT_PREMIUM, month: values.AI_DOCTOR_MONTHLY_LIMIT_PREMIUM },
      },
      aiDoctorFollowUp: {
        free: {
          day: values.AI_DOCTOR_FOLLOW_UP_DAILY_LIMIT_FREE,
          month: values.AI_DOCTOR_FOLLOW_UP_MONTHLY_LIMIT_FREE,
        },
        premium: {
          day: values.AI_DOCTOR_FOLLOW_UP_DAILY_LIMIT_PREMIUM,
          month: values.AI_DOCTOR_FOLLOW_UP_MONTHLY_LIMIT_PREMIUM,
        },
      },
      plantId: {
        free: { day: values.PLANT_ID_DAILY_LIMIT_FREE, month: values.PLANT_ID_MONTHLY_LIMIT_FREE },
        premium: { day: values.PLANT_ID_DAILY_LIMIT_PREMIUM, month: values.PLANT_ID_MONTHLY_LIMIT_PREMIUM },
      },
    },
  };
}
