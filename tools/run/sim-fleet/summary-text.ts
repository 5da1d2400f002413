import { styleText } from 'node:util';
import type { FleetSummary } from '@autowatering/firmware-sim';
import { textTable } from '../../cli/terminal/text-table.ts';

export interface RunFacts {
  readonly wallMs: number;
  readonly idleBytesPerDevice: number;
  readonly seed: number;
  readonly directory: string;
}

/** Formats the results of a run. */
export function summaryText(summary: FleetSummary, { wallMs, idleBytesPerDevice, seed, directory }: RunFacts): string {
  const perSecond = Math.round((summary.devices * 1_000) / Math.max(1, wallMs));
  const outcomes = Object.keys(summary.outcomes);
  const fates = Object.entries(summary.fates).map(([fate, counts]) => [
    fate.replaceAll('_', ' '),
    ...outcomes.map((outcome) => String(counts[outcome] ?? '')),
  ]);
  const apps = Object.entries(summary.profiles).map(([profile, counts]) => [
    profile,
    ...outcomes.map((outcome) => String(counts[outcome] ?? '')),
  ]);
  const all = ['all', ...outcomes.map((outcome) => String(summary.outcomes[outcome] ?? 0))];
  const durations = (entries: FleetSummary['phases']) =>
    Object.entries(entries).map(([name, { count, p50, p90, max }]) => [
      name,
      String(count),
      ...[p50, p90, max].map(seconds),
    ]);
  const columns = ['count', 'median', 'p90', 'slowest'];
  return [
    '',
    heading(`Outcomes of ${summary.devices} devices`),
    textTable(['', ...outcomes.map((outcome) => outcome.replaceAll('_', ' '))], [...fates, all]),
    '',
    heading('By the app on the phone'),
    textTable(['', ...outcomes.map((outcome) => outcome.replaceAll('_', ' '))], apps),
    '',
    heading('Duration of each phase'),
    textTable(['phase', ...columns], durations(summary.phases)),
    '',
    heading('Duration of updates without failures'),
    textTable(['phone', ...columns], durations(summary.updates)),
    '',
    `${summary.visits} visits, ${summary.reconnects} reconnections; ${seconds(wallMs)} of real time, ${perSecond} devices per second.`,
    `Memory per idle device: ${(idleBytesPerDevice / 1_024).toFixed(1)} KB.`,
    `Repeat this run with --seed ${seed}. Report: ${directory}/report.json and report.svg`,
  ].join('\n');
}

function heading(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}
