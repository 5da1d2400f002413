import type { Uid } from '../../platform/ids.ts';
import type { NotificationKey } from '../table-keys.ts';

/** A delivery that is still to be made, possibly at a later hour. */
export interface Due {
  readonly key: NotificationKey;
  readonly uid: Uid;
  readonly messageId: string;
  /** Milliseconds since 1970. */
  readonly dueAt: number;
  readonly how: 'alone' | 'digest';
}
