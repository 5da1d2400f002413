/** Length of the free trial for first-time subscribers (contract). */
export const TRIAL_DAYS = 7;
