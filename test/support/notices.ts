import { accountAliveCheck } from '../../src/account/index.ts';
import { createNotify, type Notice } from '../../src/notifications/index.ts';
import { isSerial, isUid, type Uid } from '../../src/platform/ids.ts';
import { ownerZone } from '../../src/telemetry/index.ts';
import type { Backend } from './backend.ts';

export function uidOf(text: string): Uid {
  if (!isUid(text)) throw new Error('not a uid');
  return text;
}

/** A leak that is told of, unless the test says otherwise. */
export function notice(backend: Pick<Backend, 'clock'>, more: Partial<Notice> = {}): Notice {
  const serial = '000123';
  if (!isSerial(serial)) throw new Error('not a serial');
  return {
    kind: 'alarm',
    topic: 'mainline-leak',
    severity: 'critical',
    cause: 'mainline-leak#000123',
    at: backend.clock.now(),
    serial,
    facts: {},
    ...more,
  };
}

/** Takes notices in as the domains that notify do. */
export function notifyOf({ services }: Pick<Backend, 'services'>) {
  const notify = createNotify(services, { isAlive: accountAliveCheck(services), zoneOf: ownerZone(services) });
  return (uid: string, notices: readonly Notice[]) => notify(uidOf(uid), notices);
}
