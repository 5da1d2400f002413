import type { Uid } from '../../platform/ids.ts';
import type { PlantFeature, UsageLimits } from '../../platform/plant-providers/plants-config.ts';
import type { PlantsNeeds } from '../plants-needs.ts';
import { reserveUse } from './quota.ts';
import type { Reservation } from './usage-period.ts';

export interface Meter {
  readonly uid: Uid;
  readonly feature: PlantFeature;
  readonly limits: UsageLimits;
}

export type Metered<T> =
  | { readonly outcome: 'done'; readonly result: T }
  | { readonly outcome: 'account_deleted' }
  | { readonly outcome: 'limit_reached'; readonly limit: 'day' | 'month'; readonly resetsAt: number };

/**
 * Runs metered work: the use is reserved first, so that parallel requests can't exceed the limit, and given back when
 * the work fails (contract, traps 4 and 5).
 *
 * @param isWorthIt whether the result counts as a use; for a partial result the use is given back too
 */
export async function metered<T>(
  needs: PlantsNeeds,
  { uid, feature, limits }: Meter,
  work: () => Promise<T>,
  isWorthIt: (result: T) => boolean = () => true,
): Promise<Metered<T>> {
  const reserved = await reserveUse(needs.usage, uid, feature, limits, needs.now());
  if (!reserved.reserved) {
    needs.metrics.count('QuotaReached', { feature, limit: reserved.limit });
    return { outcome: 'limit_reached', limit: reserved.limit, resetsAt: reserved.resetsAt };
  }
  const { reservation } = reserved;
  try {
    const result = await work();
    if (!isWorthIt(result)) await giveBack(needs, uid, reservation);
    // The account may have been deleted since the request was admitted: its counter must not stay behind.
    if (!(await needs.isAccountDeleted(uid))) return { outcome: 'done', result };
    await needs.usage.drop(uid, reservation);
    return { outcome: 'account_deleted' };
  } catch (error) {
    await giveBack(needs, uid, reservation);
    throw error;
  }
}

/** Never throws: the user gets the original error, not that of the counter. */
async function giveBack(needs: PlantsNeeds, uid: Uid, reservation: Reservation): Promise<void> {
  try {
    await needs.usage.countDown(uid, reservation);
  } catch (error) {
    needs.metrics.count('QuotaNotGivenBack', { feature: reservation.feature });
    needs.log.error('Could not give back a use', { uid, feature: reservation.feature }, error);
  }
}
