import * as z from 'zod';

/** Every event in a release's life, by its name in the audit. */
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
  /** The release engineer, or the release itself when it halts. */
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
