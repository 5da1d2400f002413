/** Whether there is time for every case: nightly. The suite takes a fixed part of the longest enumerations. */
export const isThorough = process.env['TEST_THOROUGHLY'] === '1';
