import { styleText } from 'node:util';
import type { YearSummary } from '@autowatering/firmware-sim';
import { textTable } from '../../../cli/terminal/text-table.ts';
import type { SampleReport } from './year-sample.ts';

export interface YearFacts {
  readonly seed: number;
  readonly wallMs: number;
  readonly directory: string;
}

/** Formats what became of a fleet's gardens. */
export function yearText(summary: YearSummary, sample: SampleReport | undefined, facts: YearFacts): string {
  const { devices, days, visits, rows, runs, watched, alarms, failures } = summary;
  const planted = Object.entries(summary.planted).map(([kind, counts]) => [
    words(kind),
    ...[counts.planted, counts.leftEvidence].map(String),
  ]);
  const seconds = facts.wallMs / 1000;
  return [
    '',
    heading(`${devices} devices, ${days} days`),
    textTable(
      ['', ''],
      [
        ['visits of phones', String(visits)],
        ['rows read', String(rows)],
        ['runs', `${runs} (${list(summary.runsByEnd)})`],
        ['watched from start to end', `${watched.runs} runs, ${off(watched)} off the truth`],
        ['alarms', `${alarms.raised} raised, ${alarms.relayed} heard by a phone`],
        ['questions without an answer', String(failures)],
      ],
    ),
    '',
    heading('Planted faults'),
    textTable(['fault', 'planted', 'left evidence'], planted),
    ...(sample === undefined ? [] : sampleText(sample)),
    '',
    `${seconds.toFixed(1)} s of real time, ${(devices / Math.max(seconds, 0.001)).toFixed(1)} devices per second.`,
    `Repeat this run with --seed ${facts.seed}. Report: ${facts.directory}/year.json`,
  ].join('\n');
}

function sampleText({ devices, uploads, refusedRows, confusion, litres }: SampleReport): readonly string[] {
  const { matrix, planted, leftEvidence, found, falseAlarms, deviceYears } = confusion;
  const kinds = [...new Set(Object.values(matrix).flatMap((row) => Object.keys(row)))].sort();
  const rows = Object.keys(planted).map((fault) => [
    ...[words(fault), String(planted[fault] ?? 0)],
    `${found[fault] ?? 0} of ${leftEvidence[fault] ?? 0}`,
    ...kinds.map((kind) => String(matrix[fault]?.[kind] ?? '')),
  ]);
  const [foundAll, leftAll] = [total(found), total(leftEvidence)];
  const alarms = total(falseAlarms);
  return [
    '',
    heading(`What the backend found in a sample of ${devices} (${uploads} uploads, ${refusedRows} rows refused)`),
    textTable(['fault', 'planted', 'found, of those with evidence', ...kinds.map(words)], rows),
    `Of ${leftAll} faults that left evidence, ${foundAll} were found (${percent(foundAll, leftAll)}); ` +
      `${alarms} false alarms in ${deviceYears.toFixed(1)} device-years (${(alarms / Math.max(deviceYears, 0.01)).toFixed(2)} a year` +
      `${alarms === 0 ? '' : `: ${list(falseAlarms)}`}).`,
    ...confusion.worthALook.map((line) => `  ${line}`),
    '',
    heading('Litres'),
    `${litres.watched.runs} runs that a phone watched: ${off(litres.watched)} off the truth, ${eachOff(litres.watched)} run by run.`,
    `${litres.estimated.runs} estimated by the device’s litres or the zone’s usual flow: ${off(litres.estimated)} off, ${eachOff(litres.estimated)} run by run.`,
    `${litres.unknown} said to be unknown; ${litres.invented} measured though nobody watched.`,
    `Outcomes: ${list(litres.outcomes)}.`,
  ];
}

function off({ saidMl, trueMl }: { readonly saidMl: number; readonly trueMl: number }): string {
  return trueMl === 0 ? '0 %' : `${((saidMl / trueMl - 1) * 100).toFixed(2)} %`;
}

function eachOff({ offMl, trueMl }: { readonly offMl: number; readonly trueMl: number }): string {
  return percent(offMl, trueMl);
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`;
}

function list(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([name, count]) => `${words(name)} ${count}`)
    .join(', ');
}

function words(name: string): string {
  return name.replaceAll('_', ' ');
}

function heading(text: string): string {
  return styleText('bold', text, { stream: process.stdout });
}
