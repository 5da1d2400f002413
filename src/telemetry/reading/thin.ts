interface Ranged {
  readonly min: number | null;
  readonly max: number | null;
}

/**
 * At most so many points of a series, in their order: the first, the last, and of each of equal stretches between them the
 * point with the least minimum and the one with the greatest maximum. So no peak gets lost.
 *
 * @param most at least 4
 */
export function thin<P extends Ranged>(points: readonly P[], most: number): readonly P[] {
  if (points.length <= most) return points;
  const inner = points.slice(1, -1);
  const stretches = Math.floor((most - 2) / 2);
  const kept = Array.from({ length: stretches }, (_, index) =>
    extremes(inner.slice(edge(index, inner.length, stretches), edge(index + 1, inner.length, stretches))),
  );
  return [...points.slice(0, 1), ...kept.flat(), ...points.slice(-1)];
}

function edge(index: number, length: number, stretches: number): number {
  return Math.floor((index * length) / stretches);
}

function extremes<P extends Ranged>(stretch: readonly P[]): readonly P[] {
  let [least, greatest] = [0, 0];
  for (const [index, { min, max }] of stretch.entries()) {
    if ((min ?? Number.POSITIVE_INFINITY) < (stretch[least]?.min ?? Number.POSITIVE_INFINITY)) least = index;
    if ((max ?? Number.NEGATIVE_INFINITY) > (stretch[greatest]?.max ?? Number.NEGATIVE_INFINITY)) greatest = index;
  }
  return stretch.filter((_, index) => index === least || index === greatest);
}
