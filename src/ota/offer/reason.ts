/** Why a device is offered what it is offered. */
export const REASONS = [
  ...(['offered', 'up_to_date', 'not_in_rollout', 'paused', 'needs_intermediate', 'bootloader_too_old'] as const),
  ...(['device_revoked', 'no_release', 'failed_too_often'] as const),
] as const;
export type Reason = (typeof REASONS)[number];
