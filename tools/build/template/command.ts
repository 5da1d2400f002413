import { styleText } from 'node:util';
import { Command } from 'commander';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { type CheckResult, checkTemplate } from './check-template.ts';

interface Options {
  readonly template: string;
  readonly json: boolean;
}

await runCommand((signal) =>
  new Command('npm run template:check --')
    .description(
      'Checks template.yaml against the route table, the runbook and the project’s rules, and runs cfn-lint and sam ' +
        'validate if they are installed.',
    )
    .option('--template <file>', 'the template', 'template.yaml')
    .option('--json', 'JSON, for machines', false)
    .addHelpText('after', '\nExamples:\n  npm run template:check\n  npm run template:check -- --json\n')
    .action(async ({ template, json }: Options) => {
      const results = await checkTemplate(template, signal);
      if (json) console.log(JSON.stringify({ checks: results }));
      else for (const result of results) console.log(line(result));
      const bad = results.filter(({ outcome }) => outcome === 'bad');
      if (bad.length > 0) throw new PlainError(`${template} has faults: ${bad.map(({ name }) => name).join('; ')}.`);
    }),
);

function line({ name, outcome, faults }: CheckResult): string {
  const paint = (color: 'green' | 'red' | 'gray', text: string) => styleText(color, text, { stream: process.stdout });
  if (outcome === 'absent') return `${paint('gray', '–')} ${name}: not installed`;
  if (outcome === 'good') return `${paint('green', '✓')} ${name}`;
  return [`${paint('red', '✗')} ${name}`, ...faults.map((fault) => `    ${fault.replaceAll('\n', '\n    ')}`)].join(
    '\n',
  );
}
