import {
  either,
  type Fields,
  fields,
  number,
  optional,
  orNull,
  recordOf,
  type Shape,
  text,
} from '../../platform/shapes.ts';

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

const AUDIT = {
  action: text,
  actor: text,
  timestamp: text,
  reason: optional(text),
  before: orNull(text),
  after: text,
  facts: optional(recordOf(either(text, number))),
};
export type StoredReleaseAudit = Fields<typeof AUDIT>;

/** @throws ShapeError for an item that is not an audit entry */
export const toReleaseAudit: Shape<StoredReleaseAudit> = fields(AUDIT);
