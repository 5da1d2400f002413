import { describe, expect, it } from 'vitest';
import { isSerial } from '../../../src/platform/ids.ts';
import type { Insight } from '../../../src/telemetry/insights/insight.ts';
import { insightNotice } from '../../../src/telemetry/telling/insight-notices.ts';
import { DAY, HOUR } from '../../support/garden-evidence.ts';

const NOW = Date.parse('2026-07-01T10:00:00Z');
const SINCE = NOW - DAY;

function noticeOf(insight: Pick<Insight, 'kind'> & Partial<Insight>, now = NOW) {
  const serial = '000123';
  if (!isSerial(serial)) throw new Error('serials look different now');
  const usual = { channel: null, severity: 'warning', since: SINCE, until: null, isEstimate: false } as const;
  return insightNotice(serial, { ...usual, restsOn: ['runs'], facts: {}, ...insight }, now);
}

describe('the notice of an insight', () => {
  it.each([
    ['a leak', { kind: 'leak', severity: 'critical' }, 'leak', 'valves-shut', {}],
    ['a zone without flow', { kind: 'no_flow', channel: 3 }, 'no_flow', 'channel', { channel: 3 }],
    ['no flow in an unknown zone', { kind: 'no_flow' }, 'no_flow', 'channel', {}],
    ['frost', { kind: 'frost', facts: { coldest_celsius: -1 } }, 'frost', 'cold', { temperature: -1 }],
    [
      'a zone that takes more',
      { kind: 'high_use', channel: 0, facts: { percent: 37 } },
      'insight',
      'high-use',
      { channel: 0, percent: 37 },
    ],
    ['high use without a figure', { kind: 'high_use', channel: 7 }, 'insight', 'high-use', { channel: 7, percent: 0 }],
    ['a dry spell', { kind: 'dry_spell', severity: 'info', facts: { days: 16 } }, 'insight', 'dry-spell', { days: 16 }],
    ['a dry spell without a figure', { kind: 'dry_spell' }, 'insight', 'dry-spell', { days: 0 }],
    ['a flat line', { kind: 'flat_line' }, 'insight', 'flat-line', {}],
    ['a silent sensor', { kind: 'silent_sensor' }, 'insight', 'silent-sensor', {}],
    ['a lost clock', { kind: 'clock_lost' }, 'insight', 'clock-lost', {}],
    ['interrupted runs', { kind: 'interrupted', facts: { runs: 2 } }, 'insight', 'interrupted', { runs: 2 }],
    ['an interrupted run', { kind: 'interrupted' }, 'insight', 'interrupted', { runs: 1 }],
    ['a silent device', { kind: 'unheard', facts: { days: 12 } }, 'unheard', 'silent', { days: 12 }],
    ['a silent device without a figure', { kind: 'unheard' }, 'unheard', 'silent', { days: 0 }],
  ] as const)('tells of %s with its facts', (_, insight, kind, topic, facts) => {
    const { severity, channel } = { severity: 'warning', channel: 'device', ...insight } as const;
    expect(noticeOf(insight)).toEqual({
      ...{ kind, topic, severity, facts, at: SINCE, serial: '000123' },
      cause: `000123#${insight.kind}-${channel}-${SINCE}`,
    });
  });

  it.each(['lock', 'saved', 'water_use'] as const)('is none of %s', (kind) => {
    expect(noticeOf({ kind, channel: 1 })).toBeUndefined();
  });

  it.each(
    (['leak', 'no_flow', 'frost', 'high_use'] as const).flatMap((kind) =>
      (['alarm', 'status', 'hydraulic_status'] as const).map((basis) => [kind, basis] as const),
    ),
  )('is none of %s that rests on the %s, which was told with its upload', (kind, basis) => {
    const facts = { coldest_celsius: 1 };
    expect(noticeOf({ kind, facts, restsOn: ['runs', basis] })).toBeUndefined();
    expect(noticeOf({ kind, facts, restsOn: ['runs'] })).toBeDefined();
  });

  it('is none of frost that nobody measured', () => {
    expect(noticeOf({ kind: 'frost', restsOn: ['skip_rows'] })).toBeUndefined();
  });

  it('is none of what began more than 30 days ago', () => {
    expect(noticeOf({ kind: 'leak', since: NOW - 30 * DAY })).toBeDefined();
    expect(noticeOf({ kind: 'leak', since: NOW - 30 * DAY - 1 })).toBeUndefined();
  });

  it('has one cause a month for a zone whose history fills up, whenever that will be', () => {
    const at = (since: number, channel = 2) => noticeOf({ kind: 'history_at_risk', since, channel });
    expect(at(SINCE)).toMatchObject({
      ...{ kind: 'history_at_risk', topic: 'channel', severity: 'warning', facts: { channel: 2 } },
      cause: '000123#history_at_risk-2-2026-06',
    });
    expect(at(SINCE - HOUR)?.cause).toBe(at(SINCE)?.cause);
    expect(at(SINCE + DAY)?.cause).toBe('000123#history_at_risk-2-2026-07');
    expect(at(SINCE, 3)?.cause).not.toBe(at(SINCE)?.cause);
  });
});
