import * as z from 'zod';

/** Everything that can happen to a release, as its audit names it. */
export type ReleaseAction =
  | 'created'
  | 'replaced'
  | 'published'
  | 'rollout'
  | 'pause'
  | 'resume'
  | 'halt'
  | 'withdraw'
  | 'promoted';

export interface ReleaseAuditEntry {
  readonly action: ReleaseAction;
  /** The release engineer, or the release itself when it stops. */
  readonly actor: 'admin' | 'system';
  readonly reason?: string | undefined;
  readonly facts?: Readonly<Record<string, string | number>>;
}

export const StoredReleaseAudit = z.object({
  action: z.string(),
  actor: z.string(),
  timestamp: z.string(),
  reason: z.string().optional(),
  before: z.string().nullable(),
  after: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
});
export type StoredReleaseAudit = z.output<typeof StoredReleaseAudit>;
