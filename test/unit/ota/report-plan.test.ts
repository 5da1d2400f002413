import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BLOCK_MS,
  isFirmwareFault,
  NO_PROGRESS,
  planReport,
  REPORT_STATUSES,
  type Report,
} from '../../../src/ota/progress/report-plan.ts';
import { hwId } from '../../support/ota-names.ts';

const report = (fields: Partial<Report> = {}): Report => ({
  hwId: hwId(1),
  attemptId: 'a1',
  status: 'confirmed',
  errorCode: undefined,
  phoneModel: 'Pixel 9',
  isVerified: false,
  ...fields,
});
const FRESH = { hasFailed: false };

describe('a failure that counts against a release', () => {
  it.each([
    ['reverted', undefined, true],
    ['failed', 'integrity_check', true],
    ['failed', 'hash_mismatch', true],
    ['failed', 'self_test_failed', true],
    ['failed', 'selftest', true],
    ['failed', 'bad_signature', true],
    ['failed', 'watchdog_reset', true],
    ['failed', 'link_lost', false],
    ['failed', 'bootloader_busy', false],
    ['failed', 'battery_low', false],
    ['failed', undefined, false],
    ['confirmed', undefined, false],
    ['uploading', 'link_lost', false],
  ] as const)('%s with %s: %s', (status, code, counts) => {
    expect(isFirmwareFault(status, code)).toBe(counts);
  });

  it('counts once per device, however often it fails', () => {
    const first = planReport(report({ status: 'reverted' }), NO_PROGRESS, FRESH, 0);
    expect(first.counts).toEqual({ reached: 1, reverted: 1, finished: 1, failures: 1 });
    const second = planReport(report({ status: 'reverted', attemptId: 'a2' }), first.progress, FRESH, 0);
    expect(second.counts).toEqual({});
  });

  it('is broken down by hour, phone model and error code', () => {
    const { breakdowns } = planReport(report({ status: 'failed', errorCode: 'link_lost' }), NO_PROGRESS, FRESH, 0);
    expect(breakdowns).toEqual([
      { by: 'hour', value: '1970-01-01T00', ending: 'interrupted' },
      { by: 'model', value: 'Pixel 9', ending: 'interrupted' },
      { by: 'error', value: 'link_lost', ending: 'interrupted' },
    ]);
    expect(planReport(report({ status: 'uploading' }), NO_PROGRESS, FRESH, 0).breakdowns).toEqual([]);
  });
});

describe('three failures', () => {
  const fail = (progress = NO_PROGRESS, attempt = FRESH) =>
    planReport(report({ status: 'reverted' }), progress, attempt, 1_000).progress;

  it('block the device for a day and reset its count', () => {
    expect(fail(fail()).blockedUntil).toBeNull();
    expect(fail(fail(fail()))).toMatchObject({ blockedUntil: 1_000 + BLOCK_MS, failuresInRow: 0 });
  });

  it('must come from three attempts: reverted and failed count as one', () => {
    expect(fail(fail(fail()), { hasFailed: true })).toMatchObject({ failuresInRow: 2, blockedUntil: null });
  });

  it('are forgiven after a success', () => {
    const done = planReport(report(), fail(fail()), FRESH, 0).progress;
    expect(done).toMatchObject({ failuresInRow: 0, blockedUntil: null });
  });
});

it("any sequence of reports gives counts that match the device's history", () => {
  const anyReport = fc.record({
    status: fc.constantFrom(...REPORT_STATUSES),
    errorCode: fc.constantFrom(undefined, 'link_lost', 'hash_mismatch'),
    isVerified: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(anyReport, { maxLength: 20 }), (reports) => {
      let progress = NO_PROGRESS;
      const sums: Record<string, number> = {};
      for (const fields of reports) {
        const plan = planReport(report(fields), progress, FRESH, 0);
        for (const [name, by] of Object.entries(plan.counts)) sums[name] = (sums[name] ?? 0) + by;
        progress = plan.progress;
      }
      for (const status of REPORT_STATUSES) {
        expect(sums[status] ?? 0).toBe(reports.some((one) => one.status === status) ? 1 : 0);
      }
      const faults = reports.some(({ status, errorCode }) => isFirmwareFault(status, errorCode));
      expect(sums['failures'] ?? 0).toBe(faults ? 1 : 0);
      expect(sums['finished'] ?? 0).toBe(faults || reports.some(({ status }) => status === 'confirmed') ? 1 : 0);
      expect(sums['reached'] ?? 0).toBe(reports.length > 0 ? 1 : 0);
    }),
  );
});
