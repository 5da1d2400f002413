import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { listedRoutes } from '../../cli/target/route-list.ts';
import { headingAnchors } from './heading-anchors.ts';
import { readTemplate } from './template.ts';
import { TEMPLATE_CHECKS } from './template-checks.ts';

export interface CheckResult {
  readonly name: string;
  /** `absent`: the tool is not installed. */
  readonly outcome: 'good' | 'bad' | 'absent';
  readonly faults: readonly string[];
}

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const RUNBOOK = fileURLToPath(new URL('../../../RUNBOOK.md', import.meta.url));

/** cfn-lint runs SAM's translator and then CloudFormation's rules; `sam validate` runs SAM's own checks. */
const LINTERS = [
  { name: 'cfn-lint, with SAM’s translator', command: 'cfn-lint', args: (file: string) => [file] },
  {
    name: 'sam validate',
    command: 'sam',
    // The region only selects rules; AWS is not called.
    args: (file: string) => ['validate', '--lint', '--template', file, '--region', 'eu-central-1'],
  },
] as const;

/** Runs all checks of a template: our own, and those of the installed linters. */
export async function checkTemplate(file: string, signal: AbortSignal): Promise<readonly CheckResult[]> {
  const [template, text, runbook, routes] = await Promise.all([
    readTemplate(file),
    readFile(file, 'utf8'),
    readFile(RUNBOOK, 'utf8'),
    listedRoutes(),
  ]);
  const facts = { text, routes, runbookAnchors: headingAnchors(runbook) };
  const own = TEMPLATE_CHECKS.map(({ name, faults }): CheckResult => {
    const found = faults(template, facts);
    return { name, outcome: found.length === 0 ? 'good' : 'bad', faults: found };
  });
  const lints = await Promise.all(LINTERS.map((linter) => lint(linter, file, signal)));
  return [...own, ...lints];
}

async function lint({ name, command, args }: (typeof LINTERS)[number], file: string, signal: AbortSignal) {
  const child = spawn(command, args(file), {
    ...{ cwd: ROOT, signal, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { ...process.env, SAM_CLI_TELEMETRY: '0' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (part) => {
      output += part;
    });
  }
  try {
    const [code] = await once(child, 'close');
    return code === 0
      ? ({ name, outcome: 'good', faults: [] } as const)
      : ({ name, outcome: 'bad', faults: [output.trim()] } as const);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    return { name, outcome: 'absent', faults: [] } as const;
  }
}
