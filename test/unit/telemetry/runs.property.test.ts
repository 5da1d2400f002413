import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Evidence, Row, WatchedSession } from '../../../src/telemetry/evidence.ts';
import type { Run, RunOutcome } from '../../../src/telemetry/run.ts';
import { EVIDENCE_REACH_MS, runsOf } from '../../../src/telemetry/runs/runs.ts';
import {
  DAY,
  evidenceOf,
  HOUR,
  MINUTE,
  MORNING,
  type Piece,
  skippedForFrost,
  skippedForRain,
  startedFor,
  startedUntil,
  stopped,
  watched,
  withLostClock,
} from '../../support/garden-evidence.ts';

/** Anything at all, dense enough that it meets and contradicts. */
const anyPiece: fc.Arbitrary<Piece> = fc
  .record({
    ...{ channel: fc.nat(2), at: fc.nat(40), minutes: fc.integer({ min: 0, max: 40 }) },
    ...{ kind: fc.nat(7), sawStart: fc.boolean(), isClockLost: fc.boolean(), millilitres: fc.option(fc.nat(50_000)) },
    ended: fc.constantFrom(...(['completed', 'stopped', 'interrupted', 'lost_sight'] as const)),
  })
  .map(({ channel, at: minute, minutes, kind, isClockLost, ...rest }) => {
    const at = MORNING + minute * 2 * MINUTE;
    const row = (made: Row) => (isClockLost && kind < 4 ? withLostClock(made, MORNING + DAY) : made);
    if (kind === 0) return row(startedFor(channel, at, minutes + 1));
    if (kind === 1) return row(startedUntil(channel, at, minutes + 1));
    if (kind === 2) return row(stopped(channel, at, minutes));
    if (kind === 3) return row(skippedForRain(channel, at));
    if (kind === 4) return { rebootAt: at };
    return watched(channel, at, { minutes, ...rest });
  });
const anyEvidence = fc.array(anyPiece, { maxLength: 25 });
const shuffled = (pieces: readonly Piece[]) =>
  fc.shuffledSubarray([...pieces], { minLength: pieces.length, maxLength: pieces.length });

const seenEnd = ({ ended }: WatchedSession) => ended !== 'lost_sight';

describe('runs from any evidence', () => {
  it('are the same in whatever order it came, and if some came twice', () => {
    const cases = anyEvidence.chain((pieces) => fc.tuple(fc.constant(pieces), shuffled(pieces)));
    fc.assert(
      fc.property(cases, ([pieces, others]) => {
        const twice = others.filter((piece) => 'rebootAt' in piece || !('isClockLost' in piece) || !piece.isClockLost);
        expect(runsOf(evidenceOf(...others, ...twice))).toEqual(runsOf(evidenceOf(...pieces)));
      }),
      { numRuns: 300 },
    );
  });

  it('have ids of their own', () => {
    fc.assert(
      fc.property(anyEvidence, (pieces) => {
        const runs = runsOf(evidenceOf(...pieces));
        expect(new Set(runs.map(({ runId }) => runId)).size).toBe(runs.length);
      }),
    );
  });

  it('never forget an end that was seen, whatever else is told', () => {
    fc.assert(
      fc.property(anyEvidence, anyEvidence, (pieces, more) => {
        const evidence = evidenceOf(...pieces, ...more);
        const runs = runsOf(evidence);
        for (const session of evidence.sessions.filter(seenEnd)) {
          const ofSession = runs.filter((run) => run.channel === session.channel && run.restsOn.includes('watched'));
          expect(
            ofSession.some(
              (run) =>
                (run.outcome !== 'outcome_unknown' && (run.endedAt ?? 0) >= session.endedAt) ||
                run.restsOn.includes('stop_row'),
            ),
          ).toBe(true);
        }
        const known = (basis: Run['restsOn'][number]) => runs.filter(({ restsOn }) => restsOn.includes(basis));
        expect(known('stop_row').every(({ outcome }) => outcome === 'stopped')).toBe(true);
        expect(known('stop_row').length).toBe(new Set(stopKeys(evidence)).size);
      }),
      { numRuns: 300 },
    );
  });

  it('call none a success that nobody saw complete, nor one that somebody saw stop', () => {
    fc.assert(
      fc.property(anyEvidence, (pieces) => {
        const evidence = evidenceOf(...pieces);
        for (const run of runsOf(evidence).filter(({ outcome }) => outcome === 'completed')) {
          expect(
            evidence.sessions.some(
              ({ channel, ended, endedAt }) =>
                channel === run.channel && ended === 'completed' && endedAt <= (run.endedAt ?? 0),
            ),
          ).toBe(true);
        }
      }),
    );
  });

  it('never have more measured litres than the sessions', () => {
    fc.assert(
      fc.property(anyEvidence, (pieces) => {
        const evidence = evidenceOf(...pieces);
        const told = evidence.sessions.reduce((sum, { millilitres }) => sum + (millilitres ?? 0), 0);
        expect(measuredMl(runsOf(evidence))).toBeLessThanOrEqual(told);
      }),
    );
  });
});

function stopKeys({ rows }: Evidence): string[] {
  let lost = 0;
  return rows.flatMap(({ bytes, isClockLost }) => {
    const isStop = bytes[5] === 1 && bytes[7] === 0 && bytes[8] === 0 && bytes[14] === 0;
    if (!isStop) return [];
    lost += 1;
    return [isClockLost ? `lost ${lost}` : Buffer.from(bytes).toString('hex')];
  });
}

function measuredMl(runs: readonly Run[]): number {
  return runs.reduce((sum, { volume }) => sum + (volume.basis === 'measured' ? volume.millilitres : 0), 0);
}

/** A run as it was, and what was told of it. */
interface Truth {
  readonly channel: number;
  readonly startedAt: number;
  readonly minutes: number;
  readonly target: number;
  readonly millilitres: number;
  readonly end: 'by itself' | 'by hand' | 'by reboot' | 'skipped';
  /** Minutes of the run that phones saw, and how far off their clocks are. */
  readonly watchers: readonly { readonly from: number; readonly to: number; readonly skew: number }[];
  readonly isRowRead: boolean;
}

const aRun = fc.record({
  ...{ channel: fc.nat(1), minutes: fc.integer({ min: 6, max: 60 }), millilitres: fc.integer({ min: 1, max: 99_000 }) },
  end: fc.constantFrom(...(['by itself', 'by itself', 'by hand', 'by reboot', 'skipped'] as const)),
  watchers: fc.array(
    fc.record({
      ...{ from: fc.nat(3), to: fc.nat(3), skew: fc.integer({ min: -55_000, max: 55_000 }) },
    }),
    { maxLength: 3 },
  ),
  ...{ isRowRead: fc.boolean(), pause: fc.integer({ min: 10, max: 120 }) },
});

const aGarden = fc.array(aRun, { minLength: 1, maxLength: 12 }).map((runs): readonly Truth[] => {
  let at = MORNING;
  return runs.map((run) => {
    const startedAt = at;
    at += (run.minutes + run.pause) * MINUTE;
    return { ...run, startedAt, target: run.end === 'by itself' ? run.minutes : run.minutes + 5 };
  });
});

function toldOf(truth: Truth): readonly Piece[] {
  const { channel, startedAt, minutes, target, end, watchers, isRowRead } = truth;
  if (end === 'skipped') return isRowRead ? [skippedForFrost(channel, startedAt)] : [];
  const endedAt = startedAt + minutes * MINUTE;
  return [
    ...(isRowRead ? [startedFor(channel, startedAt, target)] : []),
    ...(isRowRead && end === 'by hand' ? [stopped(channel, endedAt, minutes)] : []),
    ...(end === 'by reboot' ? [{ rebootAt: endedAt }] : []),
    ...watchers.map(({ from, to, skew }) =>
      watched(channel, startedAt + from * MINUTE + skew, {
        sawStart: from === 0,
        endedAt: endedAt - to * MINUTE + skew,
        ended:
          to > 0
            ? 'lost_sight'
            : (
                {
                  'by itself': 'completed',
                  'by hand': 'stopped',
                  'by reboot': 'interrupted',
                  skipped: 'stopped',
                } as const
              )[end],
        millilitres: Math.round((truth.millilitres * (minutes - from - to)) / minutes),
      }),
    ),
  ];
}

/** What can be said of a run, run by run, by who looks at the truth. */
function expectedOf({
  end,
  watchers,
  isRowRead,
  millilitres,
}: Truth): { outcome: RunOutcome; whole: number | null } | undefined {
  if (end === 'skipped') return isRowRead ? { outcome: 'skipped', whole: null } : undefined;
  if (!isRowRead && watchers.length === 0) return undefined;
  const whole = watchers.some(({ from, to }) => from === 0 && to === 0) ? millilitres : null;
  const isSeen = watchers.some(({ to }) => to === 0);
  if (end === 'by hand') return { outcome: isSeen || isRowRead ? 'stopped' : 'outcome_unknown', whole };
  if (end === 'by reboot') return { outcome: isSeen || isRowRead ? 'interrupted' : 'outcome_unknown', whole };
  return { outcome: isSeen ? 'completed' : 'outcome_unknown', whole };
}

describe('runs of a garden', () => {
  it('are those that were, each once, with the end that somebody or something told, and litres as measured', () => {
    fc.assert(
      fc.property(aGarden, (garden) => {
        const runs = runsOf(evidenceOf(...garden.flatMap(toldOf)));
        const expected = garden.flatMap((truth) => expectedOf(truth) ?? []);
        expect(runs).toHaveLength(expected.length);
        for (const [index, { outcome, whole }] of expected.entries()) {
          const run = runs[index];
          // A phone near a restart is enough to know of it.
          if (run?.restsOn.includes('reboot') !== true) expect(run?.outcome).toBe(outcome);
          if (whole !== null) expect(run?.volume).toEqual({ basis: 'measured', millilitres: whole, isMinimum: false });
        }
        const flowed = garden.reduce((sum, { millilitres }) => sum + millilitres, 0);
        expect(measuredMl(runs)).toBeLessThanOrEqual(flowed);
      }),
      { numRuns: 300 },
    );
  });

  it('are the same by the evidence near them as by all of it', () => {
    fc.assert(
      fc.property(aGarden, fc.nat(5), (garden, day) => {
        const pieces = garden.flatMap((truth) =>
          toldOf({ ...truth, startedAt: truth.startedAt + (truth.startedAt - MORNING) * 8 }),
        );
        const [from, to] = [MORNING + day * 24 * HOUR, MORNING + (day + 1) * 24 * HOUR];
        const timeOf = (piece: Piece) =>
          'rebootAt' in piece ? piece.rebootAt : 'at' in piece ? piece.at : piece.startedAt;
        const near = pieces.filter(
          (piece) => timeOf(piece) >= from - EVIDENCE_REACH_MS && timeOf(piece) < to + EVIDENCE_REACH_MS,
        );
        const within = (runs: readonly Run[]) =>
          runs.filter(({ startedAt }) => startedAt >= from && startedAt < to).map(({ volume, ...run }) => run);
        expect(within(runsOf(evidenceOf(...near)))).toEqual(within(runsOf(evidenceOf(...pieces))));
      }),
    );
  });
});
