/** What a point of a series rests on: the weakest of all that it sums up. */
export type PointBasis = 'measured' | 'estimated' | 'unknown';

/** What water a point is about, in litres. */
export interface PointLitres {
  readonly measured: number;
  readonly estimated: number;
  /** Runs of which nobody knows what they took. */
  readonly runsWithoutVolume: number;
}

/** A value of a stretch of time, both in milliseconds since 1970. */
export interface Point {
  readonly at: number;
  readonly until: number;
  /** The owner's day, month or year, such as `2026-06-01`, `2026-06`, `2026`. Null for hours. */
  readonly period: string | null;
  /** Null if it is unknown. */
  readonly value: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly basis: PointBasis;
  readonly litres: PointLitres | null;
}
