/** Holds something up until it is let go: for races that have to go one way. */
export function gate(): { readonly until: Promise<void>; readonly letGo: () => void } {
  let letGo = () => {};
  const until = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  return { until, letGo };
}
