import type { PeerId, Serial } from '../platform/ids.ts';
import type { Notice } from './notice.ts';

/** A phone, hub or computer was added to the account. Whoever did not do that has to hear of it. */
export function newPeerNotice(peer: {
  readonly peerId: PeerId;
  /** Has words of its own where there are some. */
  readonly type: string;
  readonly createdAt: number;
}): Notice {
  const { peerId, type, createdAt: at } = peer;
  return { kind: 'new_peer', topic: type, severity: 'warning', cause: peerId, at, serial: null, facts: {} };
}

const UPDATE_ENDINGS = {
  confirmed: { topic: 'done', severity: 'info' },
  failed: { topic: 'failed', severity: 'warning' },
  reverted: { topic: 'rolled-back', severity: 'warning' },
} as const;

/** A device's update came to an end: one message per version and ending, however often it is tried. */
export function updateNotice(ending: {
  readonly serial: Serial;
  readonly version: string;
  readonly status: keyof typeof UPDATE_ENDINGS;
  readonly at: number;
}): Notice {
  const { serial, version, status, at } = ending;
  return {
    ...{ kind: 'update', ...UPDATE_ENDINGS[status], serial, at },
    cause: `${serial}#${version}#${status}`,
    facts: { version },
  };
}

/** A device may have a newer version: one message of each, however long its owner waits. */
export function updateAvailableNotice(update: {
  readonly serial: Serial;
  readonly version: string;
  readonly at: number;
}): Notice {
  const { serial, version, at } = update;
  const cause = `${serial}#${version}#available`;
  return { kind: 'update', topic: 'available', severity: 'info', cause, serial, at, facts: { version } };
}

const UNPAID: ReadonlySet<string> = new Set(['past_due', 'unpaid']);
const ENDED: ReadonlySet<string> = new Set(['canceled']);

/** A subscription's status changed; undefined unless it is trouble. */
export function subscriptionNotice(change: {
  readonly subscriptionId: string;
  /** Null if it was not known before. */
  readonly from: string | null;
  readonly to: string;
  /** RFC 3339: of the period that was to be paid. */
  readonly currentPeriodEnd: string | null;
  readonly at: number;
}): Notice | undefined {
  const { subscriptionId, from, to, currentPeriodEnd, at } = change;
  const common = { kind: 'subscription', serial: null, at, facts: {} } as const;
  if (UNPAID.has(to) && (from === null || !UNPAID.has(from))) {
    const cause = `${subscriptionId}#unpaid#${currentPeriodEnd ?? ''}`;
    return { ...common, topic: 'payment-failed', severity: 'danger', cause };
  }
  if (ENDED.has(to) && from !== null && !ENDED.has(from)) {
    return { ...common, topic: 'ended', severity: 'warning', cause: `${subscriptionId}#ended` };
  }
  return undefined;
}
