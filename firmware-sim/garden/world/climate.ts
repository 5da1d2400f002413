const DAY_MS = 24 * 60 * 60 * 1000;
const YEAR_DAYS = 365.25;
const RADIANS = Math.PI / 180;

/** How the weather of a place usually is. */
export interface Climate {
  readonly latitude: number;
  readonly yearlyMeanC: number;
  /** Half the difference between the warmest and the coldest month. */
  readonly seasonalC: number;
  /** Half the difference between afternoon and night. */
  readonly dailyC: number;
  /** Share of hours with rain, in the wettest season. */
  readonly wetShare: number;
  /** Rain of a wet hour, on average, in mm. */
  readonly wetHourMm: number;
}

/** A plausible climate by latitude alone, in degrees: 45 has about 11 °C and 600 mm of rain a year, and frost in winter. */
export function climateAt(latitude: number): Climate {
  if (!(latitude >= -66 && latitude <= 66)) throw new RangeError(`no garden at a latitude of ${latitude}`);
  const away = Math.abs(latitude);
  return {
    latitude,
    yearlyMeanC: 27 - 0.45 * Math.max(0, away - 10),
    seasonalC: 0.25 * away,
    dailyC: 5,
    wetShare: 0.08,
    wetHourMm: 1.2,
  };
}

/** Between −1 in the middle of winter and 1 in the middle of summer. */
export function season({ latitude }: Climate, ms: number): number {
  const day = (ms / DAY_MS) % YEAR_DAYS;
  const north = Math.cos((2 * Math.PI * (day - 200)) / YEAR_DAYS);
  return latitude < 0 ? -north : north;
}

/** Hours of daylight. */
export function dayLength({ latitude }: Climate, ms: number): number {
  const day = (ms / DAY_MS) % YEAR_DAYS;
  const declination = -23.44 * RADIANS * Math.cos((2 * Math.PI * (day + 10)) / YEAR_DAYS);
  const cosine = -Math.tan(latitude * RADIANS) * Math.tan(declination);
  return (24 / Math.PI) * Math.acos(Math.min(1, Math.max(-1, cosine)));
}
