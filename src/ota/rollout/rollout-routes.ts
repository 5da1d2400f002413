import type { ReleaseVersion } from '@autowatering/release-format';
import * as z from 'zod';
import { defineRoute, type Route } from '../../http/define-route.ts';
import { ApiError } from '../../http/errors.ts';
import { textLine } from '../../http/fields.ts';
import { isoTime } from '../../platform/clock.ts';
import type { Services } from '../../platform/services.ts';
import type { OfferService } from '../offer/offers.ts';
import type { ProgressStore } from '../progress/progress-store.ts';
import { changeRelease } from '../registry/change-release.ts';
import { promoteRelease } from '../registry/promote.ts';
import type { Release, Track } from '../registry/release.ts';
import {
  AlarmPolicyField,
  Allowlist,
  HaltPolicyField,
  ReleaseEntry,
  RolloutPct,
  releaseEntry,
} from '../registry/release-fields.ts';
import type { ReleaseStep } from '../registry/release-steps.ts';
import type { ReleaseStore } from '../registry/store.ts';
import { BoardField, channelField, trackFields, VersionField } from '../registry/track-fields.ts';
import { releaseNotFound, releaseStateConflict } from '../route-errors.ts';

/** The day of the halt has the alarms that led to it. */
const DAY_MS = 24 * 60 * 60_000;
const reason = textLine(200).optional();
const Changed = z.object({ ok: z.literal(true), changed: z.boolean(), release: ReleaseEntry });
const params = z.object({ version: VersionField });
const StepBody = z.strictObject({ ...trackFields, reason });

interface Parts {
  readonly store: ReleaseStore;
  readonly progress: ProgressStore;
  readonly offers: OfferService;
}

/** Extends, pauses and ends the rollout of a release. */
export function rolloutRoutes(services: Services, { store, progress, offers }: Parts): readonly Route[] {
  const step = async (
    track: Track & { readonly reason?: string | undefined },
    version: ReleaseVersion,
    stepFor: (release: Release) => ReleaseStep,
    now: number,
  ) => {
    const entry = { actor: 'admin', reason: track.reason } as const;
    const result = await changeRelease(store, track, version, stepFor, entry, now);
    offers.forget(track);
    switch (result.outcome) {
      case 'release_not_found':
        throw releaseNotFound(version);
      case 'refused':
        throw releaseStateConflict(version, result.state, result.from);
      case 'changed':
      case 'unchanged': {
        services.metrics.count('ReleaseStep', { step: stepFor(result.release).step, outcome: result.outcome });
        const changed = result.outcome === 'changed';
        return { status: 200, body: { ok: true, changed, release: releaseEntry(result.release) } } as const;
      }
    }
  };

  const rollout = defineRoute({
    method: 'POST',
    path: '/ota/releases/{version}/rollout',
    auth: 'admin',
    domain: 'ota',
    summary: 'Changes who gets a release',
    description:
      '`rollout_pct` (0–100, two decimals), `allowlist` (serials and hardware ids, at most 1,000), `halt_policy` and ' +
      '`alarm_policy`; ' +
      'omitted fields stay unchanged. Raising the percentage never removes a device. Changes no state: a paused ' +
      'release stays paused. With an `alarm_policy` (off by default, null switches it off) each report also compares how ' +
      'often devices had alarms since the release was published with those on other versions of the board; at ' +
      '`max_ratio` times that, and after `min_device_days` of both, the release halts itself. Days count when they are over.',
    params,
    body: z.strictObject({
      ...trackFields,
      reason,
      rollout_pct: RolloutPct.optional(),
      allowlist: Allowlist.optional(),
      halt_policy: HaltPolicyField.optional(),
      alarm_policy: AlarmPolicyField.optional(),
    }),
    responses: { 200: Changed },
    errors: ['release_not_found', 'release_state_conflict'],
  }).handledBy(({ params: { version }, body }, { now }) =>
    step(
      body,
      version,
      ({ targeting, haltPolicy, alarmPolicy }) => ({
        step: 'rollout',
        targeting: {
          basisPoints: body.rollout_pct ?? targeting.basisPoints,
          allowlist: body.allowlist ?? targeting.allowlist,
        },
        haltPolicy: body.halt_policy ?? haltPolicy,
        alarmPolicy: body.alarm_policy === undefined ? alarmPolicy : body.alarm_policy,
      }),
      now,
    ),
  );

  const pause = defineRoute({
    method: 'POST',
    path: '/ota/releases/{version}/pause',
    auth: 'admin',
    domain: 'ota',
    summary: 'Pauses a release',
    description:
      'It is offered to nobody for now. Phones that have its bytes may finish; URLs issued before work for up to 15 ' +
      'minutes more.',
    params,
    body: StepBody,
    responses: { 200: Changed },
    errors: ['release_not_found', 'release_state_conflict'],
  }).handledBy(({ params: { version }, body }, { now }) => step(body, version, () => ({ step: 'pause' }), now));

  const resume = defineRoute({
    method: 'POST',
    path: '/ota/releases/{version}/resume',
    auth: 'admin',
    domain: 'ota',
    summary: 'Resumes a paused or halted release',
    description: "After a halt the policy counts anew: earlier reports don't halt it again.",
    params,
    body: StepBody,
    responses: { 200: Changed },
    errors: ['release_not_found', 'release_state_conflict'],
  }).handledBy(async ({ params: { version }, body }, { now }) => {
    const outcomes = await progress.readCounts({ ...body, version });
    return step(
      body,
      version,
      () => ({ step: 'resume', outcomes, alarmsFrom: isoTime(now + DAY_MS).slice(0, 10) }),
      now,
    );
  });

  const withdraw = defineRoute({
    method: 'POST',
    path: '/ota/releases/{version}/withdraw',
    auth: 'admin',
    domain: 'ota',
    summary: 'Withdraws a release for good',
    description:
      'It is offered to nobody and never comes back; a fix is a new version. Hidden everywhere within a second; URLs ' +
      'issued before work for up to 15 minutes more.',
    params,
    body: StepBody,
    responses: { 200: Changed },
    errors: ['release_not_found', 'release_state_conflict'],
  }).handledBy(({ params: { version }, body }, { now }) => step(body, version, () => ({ step: 'withdraw' }), now));

  const promote = defineRoute({
    method: 'POST',
    path: '/ota/releases/{version}/promote',
    auth: 'admin',
    domain: 'ota',
    summary: 'Promotes a release to another channel',
    description:
      'The very same bytes, requirements, notes and halt policy, as a release of its own on `to_channel`, published ' +
      'at once to `rollout_pct` of the devices (default 100) and the `allowlist`. Repeating the request changes ' +
      'nothing.',
    params,
    body: z.strictObject({
      board: BoardField,
      channel: channelField('beta'),
      to_channel: channelField('stable'),
      rollout_pct: RolloutPct.prefault(100),
      allowlist: Allowlist.default([]),
    }),
    responses: { 200: Changed },
    errors: ['release_not_found', 'release_state_conflict', 'release_exists'],
  }).handledBy(async ({ params: { version }, body }, { now }) => {
    const targeting = { basisPoints: body.rollout_pct, allowlist: body.allowlist };
    const result = await promoteRelease(store, body, body.to_channel, version, targeting, now);
    offers.forget({ board: body.board, channel: body.to_channel });
    switch (result.outcome) {
      case 'release_not_found':
        throw releaseNotFound(version);
      case 'refused':
        throw releaseStateConflict(version, result.state, ['published']);
      case 'release_exists':
        throw new ApiError('release_exists', `There is another release ${version} on ${body.to_channel} already.`, {
          details: { state: result.existing.state, artifact_sha256: result.existing.artifact.sha256 },
        });
      case 'promoted':
      case 'already_promoted': {
        services.metrics.count('ReleasePromoted', { channel: body.to_channel });
        const changed = result.outcome === 'promoted';
        return { status: 200, body: { ok: true, changed, release: releaseEntry(result.release) } };
      }
    }
  });

  return [rollout, pause, resume, withdraw, promote];
}
