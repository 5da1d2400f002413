import * as z from 'zod';
import { defineRoute, type RequestContext, type Route, type UploadedFile } from '../http/define-route.ts';
import { ApiError, type ErrorCode } from '../http/errors.ts';
import { isoDateTime, textBlock, textLine } from '../http/fields.ts';
import { isoTime } from '../platform/clock.ts';
import type { PlantFeature, UsageLimits } from '../platform/config.ts';
import type { Uid } from '../platform/ids.ts';
import { ProviderError } from '../platform/provider-errors.ts';
import type { Services } from '../platform/services.ts';
import { type Cached, Diagnosis, PlantIdResult } from './answers.ts';
import { createDeadline, type Deadline } from './deadline.ts';
import { LARGEST_IN_REQUEST_BYTES, LARGEST_UPLOAD_BYTES } from './image-limits.ts';
import type { Metered } from './metered.ts';
import type { PhotoFields, PhotoRequest } from './photo-request.ts';
import type { LoadPlants, Plants } from './plants.ts';

/** A form around the photo: its other fields and the boundaries. */
const FORM_BYTES = 64 * 1024;
const PHOTO_BODY_BYTES = LARGEST_IN_REQUEST_BYTES + FORM_BYTES;
/** The contract's windows, per address. */
const DOCTOR_LIMIT = { requests: 30, windowSeconds: 600, per: 'address' } as const;
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
const UsageOfFeature = z.object({
  dayCount: z.number(),
  dayLimit: z.number(),
  monthCount: z.number(),
  monthLimit: z.number(),
  resetsAt: isoDateTime,
});
const METERED_ERRORS: readonly ErrorCode[] = [
  'daily_limit_reached',
  'monthly_limit_reached',
  'provider_failed',
  'provider_timeout',
];
const PHOTO_ERRORS: readonly ErrorCode[] = [...METERED_ERRORS, 'upload_not_found'];

/** What the app sends photos of plants to. */
export function photoRoutes(
  services: Services,
  plants: LoadPlants,
  isPremium: (uid: Uid) => Promise<boolean>,
): readonly Route[] {
  const { limits, requiresPremium } = services.config.plants;

  const limitsOf = async (feature: PlantFeature, uid: Uid, isKnownPremium: boolean): Promise<UsageLimits> =>
    limits[feature][isKnownPremium || (await isPremium(uid)) ? 'premium' : 'free'];

  /** The way of a photo, whatever is asked about it. */
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
    rateLimit: DOCTOR_LIMIT,
    summary: 'Says what ails the plant on a photo',
    description:
      'A form with the photo in the part `image` (JPEG, PNG or WebP by its bytes, 4 MiB), or an `upload_id` for a bigger ' +
      'one. Place and time are taken out of the photo; `latitude` and `longitude` are rounded to two decimals. While ' +
      'Kindwise is away the plant is still named, with `degraded: true` and `is_healthy: null`, and nothing is counted. ' +
      '`X-AI-Cache` tells whether the answer was kept from before.',
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
    rateLimit: PLANT_ID_LIMIT,
    summary: 'Names the plant on a photo',
    description:
      'A form as for `/aiDoctor`. Kindwise answers, or Pl@ntNet while Kindwise is failing, slow or out of credits; ' +
      '`provider` tells who did. GBIF’s names are added where they come within 2 s.',
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

  const followUp = defineRoute({
    method: 'POST',
    path: '/aiDoctor/followUp',
    auth: 'cognito',
    domain: 'plants',
    premium: requiresPremium.aiDoctor,
    rateLimit: DOCTOR_LIMIT,
    summary: 'Asks on about a photo',
    description:
      'Only for the user who sent the photo; counted for itself. Some twenty questions per photo are answered.',
    body: z.strictObject({ access_token: textLine(200).min(1), question: textBlock(500).min(1) }),
    responses: {
      200: z.object({
        provider: z.literal('kindwise'),
        answer: z.string(),
        remaining_calls: z.number().nullable(),
        proxy_timestamp: isoDateTime,
      }),
    },
    errors: [...METERED_ERRORS, 'conversation_not_found'],
  }).handledBy(async ({ caller: { uid }, body }, context) => {
    const deadline = startDeadline();
    const works = await plants();
    const allowed = await limitsOf('aiDoctorFollowUp', uid, requiresPremium.aiDoctor);
    const question = { uid, accessToken: body.access_token, question: body.question, signal: context.signal };
    const { answer, remainingCalls } = await resultOf(context, async () => {
      const asked = await works.askAgain(question, allowed, deadline);
      if (asked.outcome !== 'conversation_not_found') return asked;
      throw new ApiError('conversation_not_found', 'This conversation is over. Please send the photo again.');
    });
    const proxyTimestamp = isoTime(context.now);
    return {
      status: 200,
      body: { provider: 'kindwise', answer, remaining_calls: remainingCalls, proxy_timestamp: proxyTimestamp },
    };
  });

  const upload = defineRoute({
    method: 'POST',
    path: '/uploads/image',
    auth: 'cognito',
    domain: 'plants',
    premium: requiresPremium.aiDoctor && requiresPremium.plantId,
    rateLimit: { requests: 60, windowSeconds: 600 },
    summary: 'Prepares the upload of a big photo',
    description:
      'A request carries 4 MiB at most, because it reaches the function as base64 in 6 MB. A photo of up to 20 MiB is put ' +
      'to `upload_url` with exactly `upload_headers`, and its `upload_id` sent in place of the part `image`. It is removed ' +
      'when it has been used, and otherwise after a day.',
    body: z.strictObject({
      size_bytes: z.int().min(1).max(LARGEST_UPLOAD_BYTES),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 in lower-case hex'),
    }),
    responses: {
      201: z.object({
        upload_id: z.string(),
        upload_url: z.url(),
        upload_headers: z.record(z.string(), z.string()),
        upload_expires_in: z.number(),
      }),
    },
    errors: [],
  }).handledBy(async ({ caller, body }) => {
    const { size_bytes: sizeBytes, sha256 } = body;
    const prepared = await (await plants()).prepareUpload(caller.uid, { sizeBytes, sha256 });
    const { uploadId, url, headers, expiresInSeconds } = prepared;
    return {
      status: 201,
      body: {
        upload_id: uploadId,
        upload_url: url,
        upload_headers: { ...headers },
        upload_expires_in: expiresInSeconds,
      },
    };
  });

  const usage = defineRoute({
    method: 'GET',
    path: '/usage',
    auth: 'cognito',
    domain: 'plants',
    summary: 'How much of each feature is used up',
    description: 'Days and months are UTC; `resetsAt` is when the day begins anew. A limit of -1 is none.',
    responses: {
      200: z.object({ aiDoctor: UsageOfFeature, aiDoctorFollowUp: UsageOfFeature, plantId: UsageOfFeature }),
    },
    errors: [],
  }).handledBy(async ({ caller: { uid } }) => {
    const [works, premium] = await Promise.all([plants(), isPremium(uid)]);
    const of = (feature: PlantFeature) => works.readUsage(uid, feature, limits[feature][premium ? 'premium' : 'free']);
    const [doctor, asked, named] = await Promise.all([of('aiDoctor'), of('aiDoctorFollowUp'), of('plantId')]);
    return { status: 200, body: { aiDoctor: doctor, aiDoctorFollowUp: asked, plantId: named } };
  });

  return [aiDoctor, plantId, followUp, upload, usage];
}

function startDeadline() {
  const started = performance.now();
  return createDeadline(() => performance.now() - started);
}

/** The result, or what the caller is told instead. */
async function resultOf<T>({ now }: RequestContext, work: () => Promise<Metered<T>>): Promise<T> {
  try {
    const outcome = await work();
    switch (outcome.outcome) {
      case 'done':
        return outcome.result;
      case 'account_deleted':
        throw new ApiError('account_deleted', 'This account has been deleted.');
      case 'limit_reached':
        throw limitReached(outcome.limit, outcome.resetsAt, now);
    }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.reason === 'timeout') {
      throw new ApiError(
        'provider_timeout',
        'The plant service takes too long right now. Please try again in a moment.',
        {
          cause: error,
        },
      );
    }
    throw new ApiError(
      'provider_failed',
      'The plant service does not answer right now. Please try again in a moment.',
      {
        cause: error,
      },
    );
  }
}

function limitReached(limit: 'day' | 'month', resetsAt: number, now: number): ApiError {
  const headers = { 'Retry-After': String(Math.max(1, Math.ceil((resetsAt - now) / 1000))) };
  const details = { resetsAt: isoTime(resetsAt) };
  return limit === 'day'
    ? new ApiError('daily_limit_reached', 'You have used this up for today.', { headers, details })
    : new ApiError('monthly_limit_reached', 'You have used this up for this month.', { headers, details });
}
