import type { Notice, NoticeSeverity } from '../notice.ts';
import { judge } from './cause.ts';

/** All that one call reports of one cause, in the order of time. */
export interface CauseReports {
  readonly first: Notice;
  readonly latestAt: number;
}

/** What a phone brings of one cause after weeks: earlier times are over, and the runs and insights have them. */
const MOST_TIMES = 10;

/**
 * Puts reports of the same cause together: those that follow each other without a quiet period are one. A phone that
 * comes back after days may report several times of one cause. What is urgent comes first, then what is newest.
 */
export function byCause(notices: readonly Notice[]): readonly (readonly CauseReports[])[] {
  const groups = new Map<string, Notice[]>();
  for (const notice of notices) {
    const name = `${notice.kind}#${notice.cause}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [notice]);
    else group.push(notice);
  }
  const causes = [...groups.values()].map((group) => {
    const reports: { first: Notice; latestAt: number }[] = [];
    for (const notice of group.sort((a, b) => a.at - b.at)) {
      const last = reports.at(-1);
      if (last === undefined || judge(notice, last.latestAt) === 'new') {
        reports.push({ first: notice, latestAt: notice.at });
      } else last.latestAt = notice.at;
    }
    return reports.slice(-MOST_TIMES);
  });
  return causes.sort((a, b) => weightOf(a) - weightOf(b) || latestOf(b) - latestOf(a));
}

const WEIGHTS: Readonly<Record<NoticeSeverity, number>> = { critical: 0, danger: 1, warning: 2, info: 3 };

function weightOf(reports: readonly CauseReports[]): number {
  return Math.min(...reports.map(({ first }) => WEIGHTS[first.severity]));
}

function latestOf(reports: readonly CauseReports[]): number {
  return reports.at(-1)?.latestAt ?? 0;
}
