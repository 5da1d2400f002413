import type { Serial, Uid } from '../platform/ids.ts';

export type NoticeSeverity = 'info' | 'warning' | 'danger' | 'critical';

/** What an owner can be told of. Each kind has its texts, in every language, and its own preference. */
export const NOTICE_KINDS = [
  'alarm',
  'lock',
  'leak',
  'no_flow',
  'frost',
  'unheard',
  'history_at_risk',
  'insight',
  'update',
  'subscription',
  'new_peer',
  'command',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** Something that happened, to be told to the owner at most once. */
export interface Notice {
  readonly kind: NoticeKind;
  /** Which text of the kind, such as `high-flow` of `alarm`. */
  readonly topic: string;
  readonly severity: NoticeSeverity;
  /** The same for every report of one cause, however often and by whomever it is reported. At most 200 characters. */
  readonly cause: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly serial: Serial | null;
  /** What the texts mention: numbers and short words, nothing personal. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** Takes notices in. Resolves when they are stored; they may be delivered later. */
export type Notify = (uid: Uid, notices: readonly Notice[]) => Promise<void>;
