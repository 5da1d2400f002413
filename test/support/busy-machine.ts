/**
 * Test files share the machine and its two engines, so an answer may be late without anything being wrong. Tests of what
 * happens in an outage set the product's own value.
 */
export const BUSY_MACHINE = { DYNAMODB_TIMEOUT_MS: '15000', DEPENDENCY_WAIT_MS: '15000' } as const;
