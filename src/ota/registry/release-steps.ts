import type { AlarmPolicy, HaltPolicy, Outcomes, Release, ReleaseState, Targeting } from './release.ts';

/** What the release engineer does with a release after its image is checked; publishing has its own gate. */
export type ReleaseStep =
  | {
      readonly step: 'rollout';
      readonly targeting: Targeting;
      readonly haltPolicy: HaltPolicy;
      readonly alarmPolicy: AlarmPolicy | null;
    }
  | { readonly step: 'pause' | 'withdraw' }
  /** `outcomes`: what was reported until now; a halted release counts anew from there, and alarms from that day on. */
  | { readonly step: 'resume'; readonly outcomes: Outcomes; readonly alarmsFrom: string }
  | { readonly step: 'halt' };

const FROM: Readonly<Record<ReleaseStep['step'], readonly ReleaseState[]>> = {
  rollout: ['draft', 'published', 'paused', 'halted'],
  pause: ['published'],
  resume: ['paused', 'halted'],
  withdraw: ['draft', 'published', 'paused', 'halted'],
  halt: ['published', 'paused'],
};

const TO = { pause: 'paused', resume: 'published', withdraw: 'withdrawn', halt: 'halted' } as const;

export type StepPlan =
  | { readonly plan: 'change'; readonly release: Release }
  /** Already in that state: repeating a step gets the same answer. */
  | { readonly plan: 'nothing' }
  | { readonly plan: 'refuse'; readonly from: readonly ReleaseState[] };

/** The release after a step, or why the step can't be taken. */
export function planReleaseStep(release: Release, step: ReleaseStep): StepPlan {
  if (step.step !== 'rollout' && release.state === TO[step.step]) return { plan: 'nothing' };
  const from = FROM[step.step];
  if (!from.includes(release.state)) return { plan: 'refuse', from };
  const revision = release.revision + 1;
  if (step.step === 'rollout') {
    const { targeting, haltPolicy, alarmPolicy } = step;
    return { plan: 'change', release: { ...release, targeting, haltPolicy, alarmPolicy, revision } };
  }
  const next = { ...release, state: TO[step.step], revision };
  return {
    plan: 'change',
    release:
      step.step === 'resume' && release.state === 'halted'
        ? { ...next, haltBaseline: step.outcomes, alarmsFrom: step.alarmsFrom }
        : next,
  };
}

/** Whether the outcomes since the last resume are too bad to go on. */
export function mustHalt({ haltPolicy, haltBaseline }: Release, outcomes: Outcomes): boolean {
  const finished = outcomes.finished - haltBaseline.finished;
  const failures = outcomes.failures - haltBaseline.failures;
  return failures > 0 && finished >= haltPolicy.minReports && failures * 100 >= finished * haltPolicy.maxFailurePct;
}
