import * as z from 'zod';
import { defineRoute, type Route } from '../http/define-route.ts';
import { ApiError } from '../http/errors.ts';
import { isoDateTime, textBlock, textLine } from '../http/fields.ts';
import { isoTime } from '../platform/clock.ts';
import type { Uid } from '../platform/ids.ts';
import type { PlantFeature } from '../platform/plant-providers/plants-config.ts';
import type { Services } from '../platform/services.ts';
import { LARGEST_UPLOAD_BYTES } from './photo/image-limits.ts';
import { DOCTOR_LIMIT } from './photo/photo-routes.ts';
import type { LoadPlants } from './plants.ts';
import { METERED_ERRORS, resultOf, startDeadline } from './usage/metered-answer.ts';

const UsageOfFeature = z.object({
  dayCount: z.number(),
  dayLimit: z.number(),
  monthCount: z.number(),
  monthLimit: z.number(),
  resetsAt: isoDateTime,
});

/** Routes around photos: follow-up questions, uploads of large photos, and usage. */
export function plantServiceRoutes(
  services: Services,
  plants: LoadPlants,
  isPremium: (uid: Uid) => Promise<boolean>,
): readonly Route[] {
  const { limits, requiresPremium } = services.config.plants;

  const followUp = defineRoute({
    method: 'POST',
    path: '/aiDoctor/followUp',
    auth: 'cognito',
    domain: 'plants',
    premium: requiresPremium.aiDoctor,
    rateLimit: DOCTOR_LIMIT,
    summary: 'Asks a follow-up question about a photo',
    description:
      'Only for the user who sent the photo; counted separately. About twenty questions per photo are answered.',
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
    const isPaidFor = requiresPremium.aiDoctor || (await isPremium(uid));
    const allowed = limits.aiDoctorFollowUp[isPaidFor ? 'premium' : 'free'];
    const question = { uid, accessToken: body.access_token, question: body.question, signal: context.signal };
    const { answer, remainingCalls } = await resultOf(context, async () => {
      const asked = await works.askAgain(question, allowed, deadline);
      if (asked.outcome !== 'conversation_not_found') return asked;
      throw new ApiError(
        'conversation_not_found',
        'This conversation has ended. Please send the photo again to start a new one.',
      );
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
    summary: 'Prepares the upload of a large photo',
    description:
      'A request carries at most 4 MiB. A photo of up to 25 MiB goes to the bucket first: PUT it to `upload_url` ' +
      'with exactly the `upload_headers` within `upload_expires_in` seconds, then send `upload_id` instead of the ' +
      'part `image`. Only the user who requested the upload can use it, until it has been answered. Unused uploads ' +
      'are removed after a day.',
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
    summary: 'Usage of each feature',
    description: 'Days and months are UTC; `resetsAt` is when the next day begins. A limit of -1 means unlimited.',
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

  return [followUp, upload, usage];
}
