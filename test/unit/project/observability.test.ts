import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parser } from '@prometheus-io/lezer-promql';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import { prometheusName } from '../../../src/platform/observability/prometheus-metrics.ts';
import { headingAnchors } from '../../../tools/build/template/heading-anchors.ts';
import { readTemplate } from '../../../tools/build/template/template.ts';

const Rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string(),
          expr: z.string(),
          annotations: z.object({ summary: z.string(), runbook: z.string() }),
        }),
      ),
    }),
  ),
});
const Dashboard = z.object({
  panels: z.array(z.object({ title: z.string(), targets: z.array(z.object({ expr: z.string() })).min(1) })),
});

const rules = Rules.parse(parse(readFileSync('docs/observability/prometheus-rules.yaml', 'utf8'))).groups.flatMap(
  (group) => group.rules,
);
const { panels } = Dashboard.parse(JSON.parse(readFileSync('docs/observability/grafana-dashboard.json', 'utf8')));

/** Every metric in the code, by its Prometheus name with suffixes. */
const known = new Set(
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join('src', name), 'utf8'))
    .flatMap((text) => [
      ...[...text.matchAll(/metrics\.(count|duration|gauge)\(\s*'(\w+)'/g)].map(([, kind, name = '']) => ({
        kind,
        name,
      })),
      // The two of every request, which come with its log line.
      ...[...text.matchAll(/name: '(\w+)', unit: '(\w+)'/g)].map(([, name = '', unit]) => ({ kind: unit, name })),
    ])
    .flatMap(({ kind, name }) => {
      const metric = prometheusName(name);
      if (kind === 'count' || kind === 'Count') return [`${metric}_total`];
      return kind === 'gauge' ? [metric] : ['bucket', 'sum', 'count'].map((suffix) => `${metric}_${suffix}`);
    }),
);

/** With Grafana's variables filled in, as Prometheus receives it. */
const expressions = [...rules, ...panels.flatMap(({ targets }) => targets)].map(({ expr }) =>
  expr.replaceAll('$__rate_interval', '5m'),
);

describe('the Prometheus rules and the Grafana dashboard', () => {
  it.each(expressions)('“%s” is PromQL over existing metrics', (expression) => {
    let isGood = true;
    parser.parse(expression).iterate({
      enter: ({ type }) => {
        if (type.isError) isGood = false;
      },
    });
    expect(isGood).toBe(true);
    const metrics = [...expression.matchAll(/autowatering_\w+/g)].map(([name]) => name);
    expect(metrics.length).toBeGreaterThan(0);
    for (const metric of metrics) expect([...known]).toContain(metric);
  });

  it("raise the template's alarms on our own metrics, each with its runbook section", async () => {
    const anchors = headingAnchors(readFileSync('RUNBOOK.md', 'utf8'));
    const { Resources: resources } = await readTemplate();
    const alarms = Object.values(resources).flatMap(({ Type: type, Properties: properties }) =>
      type === 'AWS::CloudWatch::Alarm' && JSON.stringify(properties).includes('AutoWatering')
        ? [/#([a-z0-9-]+)$/.exec(String(properties['AlarmDescription']))?.[1]]
        : [],
    );
    const named = rules.map(({ annotations }) => annotations.runbook.replace('RUNBOOK.md#', ''));
    for (const anchor of named) expect(anchors).toContain(anchor);
    expect(named).toEqual(expect.arrayContaining(alarms));
  });
});
