import { styleText } from 'node:util';
import * as z from 'zod';

export const ReleaseView = z.looseObject({
  version: z.string(),
  channel: z.string(),
  board: z.string(),
  state: z.enum(['draft', 'published', 'paused', 'halted', 'withdrawn']),
  mandatory: z.boolean(),
  published_at: z.string().nullable(),
  created_at: z.string(),
  rollout_pct: z.number(),
  allowlist: z.array(z.string()),
  min_version: z.string().nullable(),
  min_bootloader: z.string().nullable(),
  allow_downgrade: z.boolean(),
  halt_policy: z.object({ min_reports: z.number(), max_failure_pct: z.number() }),
  alarm_policy: z.object({ min_device_days: z.number(), max_ratio: z.number() }).nullable(),
  artifact_name: z.string(),
  artifact_size_bytes: z.number(),
  artifact_sha256: z.string(),
  image_hash: z.string().nullable(),
  notes: z.string(),
});
export type ReleaseView = z.output<typeof ReleaseView>;

const COLORS = { draft: 'gray', published: 'green', paused: 'yellow', halted: 'red', withdrawn: 'gray' } as const;

export function stateText(state: ReleaseView['state']): string {
  return styleText(COLORS[state], state, { stream: process.stdout });
}

export function audienceText({ rollout_pct: percent, allowlist }: ReleaseView): string {
  return `${percent} %${allowlist.length === 0 ? '' : ` + ${allowlist.length} listed`}`;
}

/** Formats all details of a release. */
export function releaseDetails(release: ReleaseView): string {
  const { halt_policy: policy, alarm_policy: alarms } = release;
  return Object.entries({
    Version: release.version,
    Track: `${release.channel} for ${release.board}`,
    State: stateText(release.state),
    'Offered to': audienceText(release),
    Mandatory: release.mandatory ? 'yes' : 'no',
    Needs: [
      release.min_version === null ? '' : `version ${release.min_version}`,
      release.min_bootloader === null ? '' : `bootloader ${release.min_bootloader}`,
    ]
      .filter((need) => need !== '')
      .join(', ')
      .replace(/^$/, 'nothing'),
    'May downgrade': release.allow_downgrade ? 'yes' : 'no',
    'Auto-halt': `at ${policy.max_failure_pct} % failures, from ${policy.min_reports} devices`,
    'Halt by alarms':
      alarms === null
        ? 'off'
        : `at ${alarms.max_ratio} × other versions’, from ${alarms.min_device_days} days of devices`,
    Registered: release.created_at,
    Published: release.published_at ?? 'never',
    Image: `${release.artifact_name}, ${release.artifact_size_bytes.toLocaleString('en')} bytes`,
    'SHA-256': release.artifact_sha256,
    'Image hash': release.image_hash ?? 'known after publishing',
    Notes: release.notes === '' ? '–' : release.notes,
  })
    .map(([name, value]) => `${name.padEnd(14)}${value}`)
    .join('\n');
}
