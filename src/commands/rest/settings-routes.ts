import * as z from 'zod';
import { accountDeleted } from '../../http/checks/authenticate.ts';
import { defineRoute, type Route } from '../../http/define-route.ts';
import type { AliveCheck } from '../../platform/aws/dynamo.ts';
import { GREATEST_LIMITS, type SafetyLimits } from '../model/safety.ts';
import type { CommandParts } from '../parts.ts';

const atMost = (most: number) => z.int().min(1).max(most);

const Settings = z.strictObject({
  longest_run_minutes: atMost(GREATEST_LIMITS.longestRunMinutes),
  longest_run_litres: atMost(GREATEST_LIMITS.longestRunLitres),
  minutes_a_day: atMost(GREATEST_LIMITS.minutesADay).meta({ description: 'Of one channel, in any 24 hours' }),
  litres_a_day: atMost(GREATEST_LIMITS.litresADay).meta({ description: 'Of one channel, in any 24 hours' }),
});

/** What the account allows its devices to be told from afar. */
export function settingsRoutes({ settings }: CommandParts, isAlive: AliveCheck): readonly Route[] {
  const read = defineRoute({
    method: 'GET',
    path: '/commands/settings',
    auth: 'cognito',
    domain: 'commands',
    summary: 'Shows how much water may be asked for from afar',
    description: 'The standard is 120 minutes or 300 litres a run, and 240 minutes or 600 litres a day and channel.',
    responses: { 200: z.object({ ok: z.literal(true), settings: Settings }) },
    errors: [],
  }).handledBy(async ({ caller }) => ({
    status: 200,
    body: { ok: true, settings: shown(await settings.read(caller.uid)) },
  }));

  const write = defineRoute({
    method: 'POST',
    path: '/commands/settings',
    auth: 'cognito',
    idempotent: true,
    domain: 'commands',
    summary: 'Sets how much water may be asked for from afar',
    description:
      'Whatever is left out stays. They apply to commands given from then on, not to schedules on the device.',
    rateLimit: { requests: 60, windowSeconds: 600 },
    body: Settings.partial(),
    responses: { 200: z.object({ ok: z.literal(true), settings: Settings }) },
    errors: [],
  }).handledBy(async ({ caller, body }) => {
    const before = await settings.read(caller.uid);
    const limits: SafetyLimits = {
      longestRunMinutes: body.longest_run_minutes ?? before.longestRunMinutes,
      longestRunLitres: body.longest_run_litres ?? before.longestRunLitres,
      minutesADay: body.minutes_a_day ?? before.minutesADay,
      litresADay: body.litres_a_day ?? before.litresADay,
    };
    if (!(await settings.write(caller.uid, limits, isAlive))) throw accountDeleted();
    return { status: 200, body: { ok: true, settings: shown(limits) } };
  });

  return [read, write];
}

function shown(limits: SafetyLimits): z.input<typeof Settings> {
  return {
    longest_run_minutes: limits.longestRunMinutes,
    longest_run_litres: limits.longestRunLitres,
    minutes_a_day: limits.minutesADay,
    litres_a_day: limits.litresADay,
  };
}
