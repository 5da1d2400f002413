/** First-time subscribers pay nothing so long (contract). */
export const TRIAL_DAYS = 7;
