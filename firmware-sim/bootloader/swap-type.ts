import type { SwapType, Trailer } from './trailer.ts';

/** What the next boot will do: the first match in MCUboot's table (facts sheet, F2). */
export function decideSwapType(primary: Trailer, secondary: Trailer): SwapType {
  if (secondary.magic === 'good' && secondary.imageOk === 'unset') return 'test';
  if (secondary.magic === 'good' && secondary.imageOk === 'set') return 'permanent';
  if (primary.magic === 'good' && primary.imageOk === 'unset' && primary.copyDone === 'set') return 'revert';
  return 'none';
}
