/** Something that is wrong with a garden for a while. Times are milliseconds since 1970. */
export type PlantedFault = FaultKind & { readonly from: number; readonly until: number };

export type FaultKind =
  /** Water gets out between the meter and the master valve (`zone` undefined), or behind the valve of a zone. */
  | { readonly kind: 'leak'; readonly mlPerMinute: number; readonly zone?: number }
  /** The valve does not close any more, or does not open. */
  | { readonly kind: 'valve_stuck_open'; readonly zone: number }
  | { readonly kind: 'valve_stuck_closed'; readonly zone: number }
  | { readonly kind: 'empty_tank' }
  /** Ice: nothing flows, through the meter or out of a leak. */
  | { readonly kind: 'frozen_pipe' }
  /** The weather sensor does not answer at all. */
  | { readonly kind: 'dead_sensor' }
  /** The weather sensor's values are not renewed. */
  | { readonly kind: 'stale_sensor' }
  /** The weather sensor repeats one value as if it were new. */
  | { readonly kind: 'flat_line' }
  /** The clock chip does not answer; the firmware then does without it until it restarts. */
  | { readonly kind: 'lost_clock' }
  /** The device restarts in the middle of every run. */
  | { readonly kind: 'reboots_in_mid_run' };

export type FaultName = FaultKind['kind'];

export const FAULT_NAMES = [
  ...(['leak', 'valve_stuck_open', 'valve_stuck_closed', 'empty_tank', 'frozen_pipe', 'dead_sensor'] as const),
  ...(['stale_sensor', 'flat_line', 'lost_clock', 'reboots_in_mid_run'] as const),
] as const satisfies readonly FaultName[];

/** @throws RangeError for a fault that ends before it begins, or is in a zone that does not exist */
export function assertFault(fault: PlantedFault, zones: number): void {
  if (!(fault.from < fault.until)) throw new RangeError(`the fault ${fault.kind} ends before it begins`);
  const zone = 'zone' in fault ? fault.zone : undefined;
  if (zone !== undefined && (zone < 0 || zone >= zones)) throw new RangeError(`there is no zone ${zone}`);
}
