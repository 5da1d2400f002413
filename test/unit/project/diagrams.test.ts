import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readTemplate, type Template } from '../../../tools/build/template/template.ts';
import { importsOf } from '../../support/imports.ts';

const diagrams = [...readFileSync('docs/architecture.md', 'utf8').matchAll(/```mermaid\n([\s\S]*?)```/g)].map(
  ([, text = '']) => text,
);

/** The arrows of a flowchart: `a & b -->|why| c --> d` gives a→c, b→c, c→d. */
function arrows(diagram: string): string[] {
  return diagram.split('\n').flatMap((line) => {
    const steps = line.split(/-->(?:\|[^|]*\|)?/).map((group) => group.split('&').map((one) => one.trim()));
    return steps.slice(1).flatMap((to, index) => (steps[index] ?? []).flatMap((a) => to.map((b) => `${a}→${b}`)));
  });
}

const FOLDERS = [
  'src',
  'firmware-sim',
  'release-format',
  'device-proof',
  'device-data',
  'relay-protocol',
  'relay-client',
  'tools',
];

/** The box of a file: for `src` its file, its layer, or "domains"; otherwise its folder. */
function boxOf(file: string): string {
  const [folder = '', name = '', ...rest] = file.split('/');
  if (folder !== 'src') return folder;
  if (rest.length === 0) return name.replace(/\.ts$/, '');
  return ['http', 'platform'].includes(name) ? name : 'domains';
}

function imports(): Set<string> {
  const found = importsOf(FOLDERS).map(({ from, to }) => [boxOf(from), boxOf(to)] as const);
  return new Set(found.filter(([from, to]) => from !== to).map(([from, to]) => `${from}→${to}`));
}

describe('the dependency diagram', () => {
  it('has an arrow for every import between two boxes, and no other', () => {
    expect(arrows(diagrams[0] ?? '').sort()).toEqual([...imports()].sort());
  });
});

describe('the deployment diagram', () => {
  const cloud = (diagrams[1] ?? '').replace(/^flowchart.*\n/, '');
  const outside = new Set([...cloud.matchAll(/^ {2}(\w+)\(\[/gm)].map(([, name = '']) => name));
  const boxes = new Set([...cloud.matchAll(/\b[A-Za-z]\w*\b(?=\s*(?:-->|&|$))/gm)].map(([name]) => name));
  let template: Template;
  beforeAll(async () => {
    template = await readTemplate();
  });

  it('shows every resource except alarms, and nothing else', () => {
    const resources = Object.entries(template.Resources)
      .filter(([, { Type: type }]) => type !== 'AWS::CloudWatch::Alarm')
      .map(([name]) => name);
    expect([...boxes].filter((name) => !outside.has(name)).sort()).toEqual(resources.sort());
  });

  it.each(['Backend', 'Relay', 'Jobs'])('shows exactly what the function %s can access', (name) => {
    const policies = JSON.stringify(template.Resources[name]?.Properties['Policies']);
    const allowed = [...policies.matchAll(/(\w+(?:Table|Bucket))\.Arn/g)].map(([, to]) => `${name}→${to}`);
    const shown = arrows(cloud).filter((arrow) => new RegExp(`^${name}→\\w+(Table|Bucket)$`).test(arrow));
    expect(shown.sort()).toEqual([...new Set(allowed)].sort());
  });

  it('shows what is backed up', () => {
    const selected = JSON.stringify(template.Resources['BackupSelection']?.Properties);
    const resources = [...selected.matchAll(/(\w+(?:Table|Bucket))\.Arn/g)].map(
      ([, name]) => `BackupSelection→${name}`,
    );
    const shown = arrows(cloud).filter((arrow) => /^BackupSelection→\w+(Table|Bucket)$/.test(arrow));
    expect(shown.sort()).toEqual(resources.sort());
  });
});
