import { RAW_DAYS } from '../rows/read-rows.ts';
import { DAY_MS } from '../rows/row-layout.ts';

/** A phone whose clock is off by more is corrected by the difference to ours. */
export const TRUSTED_OFF_MS = 5 * 60_000;

/** Turns a phone's times into ours. */
export interface PhoneClock {
  /** Returns the time in milliseconds since 1970, or why it can't be one. */
  read(phoneTime: number): number | 'future' | 'too_old';
}

/**
 * A phone's clock, judged by when it says to have sent something and when that came in. What the phone read it can't have
 * read after it sent it.
 */
export function phoneClock(sentAt: number, receivedAt: number): PhoneClock {
  const off = receivedAt - sentAt;
  const correction = Math.abs(off) <= TRUSTED_OFF_MS ? 0 : off;
  return {
    read(phoneTime) {
      const time = phoneTime + correction;
      if (time > receivedAt + TRUSTED_OFF_MS) return 'future';
      return time < receivedAt - RAW_DAYS * DAY_MS ? 'too_old' : time;
    },
  };
}
