/** The median; undefined of nothing. */
export function median(numbers: readonly number[]): number | undefined {
  const ordered = numbers.toSorted((one, other) => one - other);
  const [low, high] = [ordered[(ordered.length - 1) >> 1], ordered[ordered.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** As many of these make a standard deviation, if values are spread as usual. */
const MAD_TO_DEVIATION = 1.4826;

/** The usual value and how far values lie from it, neither moved by a few outliers: median and scaled MAD. */
export function usualOf(numbers: readonly number[]): { readonly usual: number; readonly spread: number } | undefined {
  const usual = median(numbers);
  if (usual === undefined) return undefined;
  const spread = MAD_TO_DEVIATION * (median(numbers.map((number) => Math.abs(number - usual))) ?? 0);
  return { usual, spread };
}
