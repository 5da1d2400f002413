import * as z from 'zod';
import { defineRoute, type RequestContext, type Route, type UploadedFile } from '../../http/define-route.ts';
import type { ErrorCode } from '../../http/errors.ts';
import { isoDateTime, textBlock } from '../../http/fields.ts';
import { isoTime } from '../../platform/clock.ts';
import type { Uid } from '../../platform/ids.ts';
import type { PlantFeature, UsageLimits } from '../../platform/plant-providers/plants-config.ts';
import type { Services } from '../../platform/services.ts';
import { type Cached, Diagnosis, PlantIdResult } from '../answers.ts';
import type { Deadline } from '../deadline.ts';
import type { LoadPlants, Plants } from '../plants.ts';
import type { Metered } from '../usage/metered.ts';
import { METERED_ERRORS, resultOf, startDeadline } from '../usage/metered-answer.ts';
import { LARGEST_IN_REQUEST_BYTES } from './image-limits.ts';
import { tooLargeForARequest } from './photo-refusals.ts';
import type { PhotoFields, PhotoRequest } from './photo-request.ts';

/** Allowance for the form's other fields and boundaries. */
const FORM_BYTES = 64 * 1024;
const PHOTO_BODY_BYTES = LARGEST_IN_REQUEST_BYTES + FORM_BYTES;
/** The contract's rate limits, per IP address. */
export const DOCTOR_LIMIT = { requests: 30, windowSeconds: 600, per: 'address' } as const;
const PLANT_ID_LIMIT = { requests: 60, windowSeconds: 600, per: 'address' } as const;

const degrees = (most: number) =>
  z
    .string()
    .regex(/^-?\d{1,3}(\.\d{1,12})?$/, 'a number of degrees')
    .transform(Number)
    .refine((value) => Math.abs(value) <= most, `from -${most} to ${most}`)
    .optional();
const photoFields = {
  upload_id: z.string().max(64).optional(),
  latitude: degrees(90),
  longitude: degrees(180),
};
const PHOTO_ERRORS: readonly ErrorCode[] = [...METERED_ERRORS, 'upload_not_found'];

/** Routes that take photos of plants. */
export function photoRoutes(
  services: Services,
  plants: LoadPlants,
  isPremium: (uid: Uid) => Promise<boolean>,
): readonly Route[] {
  const { limits, requiresPremium } = services.config.plants;

  const limitsOf = async (feature: PlantFeature, uid: Uid, isKnownPremium: boolean): Promise<UsageLimits> =>
    limits[feature][isKnownPremium || (await isPremium(uid)) ? 'premium' : 'free'];

  /** Takes a photo, asks the provider and answers, whatever the question is. */
  const answered = async <T extends object>(
    feature: 'aiDoctor' | 'plantId',
    { uid, files, fields }: { uid: Uid; files: readonly UploadedFile[]; fields: PhotoFields },
    context: RequestContext,
    ask: (works: Plants, request: PhotoRequest, limits: UsageLimits, deadline: Deadline) => Promise<Metered<Cached<T>>>,
  ) => {
    const deadline = startDeadline();
    const works = await plants();
    const { request, used } = await works.takePhoto(files, fields, { uid, signal: context.signal, log: context.log });
    const allowed = await limitsOf(feature, uid, requiresPremium[feature]);
    const { fromCache, result } = await resultOf(context, () => ask(works, request, allowed, deadline));
    await used();
    return {
      status: 200 as const,
      body: { ...result, proxy_timestamp: isoTime(context.now) },
      headers: { 'X-AI-Cache': fromCache ? 'HIT' : 'MISS' },
    };
  };

  const aiDoctor = defineRoute({
    method: 'POST',
    path: '/aiDoctor',
    auth: 'cognito',
    domain: 'plants',
    premium: requiresPremium.aiDoctor,
    bodyKind: 'multipart',
    bodyLimit: PHOTO_BODY_BYTES,
    bodyTooLarge: tooLargeForARequest,
    rateLimit: DOCTOR_LIMIT,
    summary: 'Diagnoses the plant on a photo',
    description:
      'A form with the photo in the part `image` (JPEG, PNG, WebP or HEIC by its bytes, at most 4 MiB) or, for a ' +
      'larger photo, the field `upload_id` from `POST /uploads/image`. Location and time are stripped from the ' +
      'photo; `latitude` and `longitude` are rounded to two decimals. While Kindwise is unavailable, the plant is ' +
      'still identified, with `degraded: true` and `is_healthy: null`, and the use is not counted. `X-AI-Cache` ' +
      'says whether the answer came from the cache.',
    body: z.object({
      ...photoFields,
      symptoms: textBlock(2_000).optional(),
      language: z
        .string()
        .regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'a language like de or pt-BR')
        .optional(),
    }),
    responses: {
      200: Diagnosis.extend({ proxy_timestamp: isoDateTime }),
    },
    errors: PHOTO_ERRORS,
  }).handledBy(({ caller, body, files }, context) => {
    const { symptoms } = body;
    return answered(
      'aiDoctor',
      { uid: caller.uid, files, fields: body },
      context,
      (works, request, allowed, deadline) => works.diagnose({ ...request, symptoms }, allowed, deadline),
    );
  });

  const plantId = defineRoute({
    method: 'POST',
    path: '/plantId',
    auth: 'cognito',
    domain: 'plants',
    premium: requiresPremium.plantId,
    bodyKind: 'multipart',
    bodyLimit: PHOTO_BODY_BYTES,
    bodyTooLarge: tooLargeForARequest,
    rateLimit: PLANT_ID_LIMIT,
    summary: 'Identifies the plant on a photo',
    description:
      'A form as for `/aiDoctor`. Kindwise answers, or Pl@ntNet while Kindwise is failing, slow or out of credits; ' +
      '`provider` says which. GBIF’s names are added if they arrive within 2 s.',
    body: z.object(photoFields),
    responses: {
      200: PlantIdResult.extend({ proxy_timestamp: isoDateTime }),
    },
    errors: PHOTO_ERRORS,
  }).handledBy(({ caller, body, files }, context) =>
    answered('plantId', { uid: caller.uid, files, fields: body }, context, (works, request, allowed, deadline) =>
      works.identify(request, allowed, deadline),
    ),
  );

  return [aiDoctor, plantId];
}
