/** Holds something back until it is released, for races with a fixed outcome. */
export function gate(): { readonly until: Promise<void>; readonly letGo: () => void } {
  let letGo = () => {};
  const until = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { until, letGo };
}
