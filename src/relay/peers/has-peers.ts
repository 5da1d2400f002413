import { fields, number, withDefault } from '../../platform/shapes.ts';

const storedAccount = fields({ active_peers: withDefault(number, 0) });

/** Whether the account has peers that are active, by its item as it was found. */
export function hasPeers(item: Record<string, unknown> | undefined): boolean {
  return storedAccount(item ?? {}).active_peers > 0;
}
