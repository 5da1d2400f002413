import type { FleetSummary } from '@autowatering/firmware-sim';
import * as echarts from 'echarts';

const SIZE = { width: 960, height: 760 } as const;
const HOUR_MS = 60 * 60 * 1000;
const PHASES = ['connecting', 'inspecting', 'uploading', 'testing', 'resetting', 'validating', 'confirming'] as const;
/** Distinguishable with colour blindness (Okabe and Ito). */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00'];

/** Draws two charts in one SVG: devices by version over simulated time, and the duration of each update phase. */
export function fleetChart(summary: FleetSummary, title: string): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  const versions = [...new Set(summary.timeline.flatMap((moment) => Object.keys(moment.versions)))].sort();
  const phases = PHASES.filter((phase) => summary.phases[phase] !== undefined);
  chart.setOption({
    backgroundColor: '#ffffff',
    animation: false,
    color: COLOURS,
    title: [
      { text: title, left: 'center', top: 8 },
      { text: 'Devices by version', left: 56, top: 48, textStyle: { fontSize: 13 } },
      {
        text: 'Time in each phase: median and 90th percentile',
        left: 56,
        top: 420,
        textStyle: { fontSize: 13 },
      },
    ],
    legend: [
      { data: versions.map((name) => ({ name })), top: 46, right: 24 },
      { data: ['median', 'p90'], top: 418, right: 24 },
    ],
    grid: [
      { left: 72, right: 40, top: 84, height: 270 },
      { left: 96, right: 40, top: 452, height: 240 },
    ],
    xAxis: [
      {
        type: 'value',
        gridIndex: 0,
        name: 'hours',
        nameLocation: 'middle',
        nameGap: 28,
        min: 0,
        max: hours(summary.simulatedMs),
      },
      {
        type: 'log',
        gridIndex: 1,
        name: 'seconds (logarithmic)',
        nameLocation: 'middle',
        nameGap: 28,
        min: 0.01,
        startValue: 0.01,
      },
    ],
    yAxis: [
      { type: 'value', gridIndex: 0, max: summary.devices },
      { type: 'category', gridIndex: 1, data: [...phases], inverse: true },
    ],
    series: [
      ...versions.map((version) => ({
        type: 'line' as const,
        name: version,
        stack: 'devices',
        areaStyle: { opacity: 0.7 },
        lineStyle: { width: 1 },
        symbol: 'none',
        data: summary.timeline.map(({ atMs, versions: counts }) => [hours(atMs), counts[version] ?? 0]),
      })),
      bars(summary, phases, 'median', 'p50', COLOURS[4]),
      bars(summary, phases, 'p90', 'p90', COLOURS[0]),
    ],
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

function bars(
  summary: FleetSummary,
  phases: readonly string[],
  name: string,
  share: 'p50' | 'p90',
  colour: string | undefined,
) {
  return {
    ...{ type: 'bar' as const, name, xAxisIndex: 1, yAxisIndex: 1 },
    ...(colour === undefined ? {} : { itemStyle: { color: colour } }),
    data: phases.map((phase) => (summary.phases[phase]?.[share] ?? 0) / 1_000),
  };
}

function hours(ms: number): number {
  return Math.round((ms / HOUR_MS) * 10) / 10;
}
