/**
 * Test files share the machine and its two engines, so answers may be late without a fault. Outage tests set the
 * production values.
 */
export const BUSY_MACHINE = { DYNAMODB_TIMEOUT_MS: '15000', DEPENDENCY_WAIT_MS: '15000' } as const;
