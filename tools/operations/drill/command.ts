import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { PlainError, RefusedError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { settleAws } from '../../cli/target/aws-place.ts';
import { environmentName } from '../../cli/target/environment-name.ts';
import { sayWhere } from '../../cli/target/say-where.ts';
import { awsOptions } from '../../cli/target/system-options.ts';
import { progressDisplay } from '../../cli/terminal/progress-display.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { drillClients } from './drill-clients.ts';
import { refuseUnlessDrill } from './drill-guard.ts';
import { type DrillPart, findParts } from './drill-parts.ts';
import { findStack, removeStack } from './drill-stack.ts';

interface Options {
  readonly env: string;
  readonly confirm?: string;
  readonly region?: string;
  readonly profile?: string;
  readonly dryRun: boolean;
  readonly json: boolean;
}

await runCommand((signal) => {
  const program = new Command('npm run drill --').description(
    'Cleans up after a restore drill (RUNBOOK.md, "The drill").',
  );
  awsOptions(program.command('remove'))
    .description(
      'Removes a drill environment with everything in it: stack, tables, all versions of all objects, logs, backups ' +
        'and secret. Only for environments called drill or drill-… that were created by "npm run deploy".',
    )
    .requiredOption('--env <name>', 'the environment', environmentName)
    .option('--confirm <name>', 'the name again; on a terminal you are asked for it')
    .option('--dry-run', 'list what would be removed, and remove nothing', false)
    .option('--json', 'JSON, for machines', false)
    .addHelpText(
      'after',
      '\nExamples:\n  npm run drill -- remove --env drill-2026-11 --dry-run\n' +
        '  npm run drill -- remove --env drill-2026-11 --confirm drill-2026-11\n' +
        '\nNot removed, because they are stored elsewhere: the restored backup, copies in other backup vaults, users\n' +
        'in the user pool, and the packages in the SAM CLI bucket (code only).\n',
    )
    .action((options: Options) => remove(options, signal));
  return program;
});

async function remove(options: Options, signal: AbortSignal): Promise<void> {
  const { env, json } = options;
  // Check the name first, so that other environments are not even read.
  refuseUnlessDrill(env, undefined);
  const aws = await settleAws(options);
  await sayWhere(env, `in AWS (${aws.text})`, { changes: !options.dryRun, signal });
  const clients = drillClients(aws.region);
  const stack = await findStack(clients.cloudFormation, env);
  refuseUnlessDrill(env, stack);
  const parts = await findParts(clients, env);
  const where = await clients.dynamo.config.region();
  const names = [...(stack === undefined ? [] : [`stack ${stack.StackName}`]), ...parts.map(nameOf)];
  const report = { environment: env, region: where, dry_run: options.dryRun, parts: names };
  if (!json) show(env, where, stack?.StackName, parts);
  if (names.length > 0 && !options.dryRun) {
    await confirmed(options);
    const display = progressDisplay(json ? 'silent' : 'people');
    if (stack !== undefined) {
      await display.during(`Deleting the stack ${stack.StackName}`, () =>
        removeStack(clients.cloudFormation, stack, signal),
      );
    }
    // Search again: some were deleted with the stack.
    for (const part of await findParts(clients, env)) {
      signal.throwIfAborted();
      await display.during(`Removing ${nameOf(part)}`, () => part.remove(signal));
    }
    const left = await findParts(clients, env);
    if (left.length > 0) throw new PlainError(`Not removed yet: ${left.map(nameOf).join(', ')}. Run it again.`);
    if (!json) console.log(`Nothing is left of ${env}.`);
  }
  if (json) console.log(JSON.stringify(report));
}

function nameOf({ kind, name }: DrillPart): string {
  return `${kind} ${name}`;
}

function show(environment: string, region: string, stack: string | undefined, parts: readonly DrillPart[]): void {
  if (stack === undefined && parts.length === 0) {
    console.log(`There is nothing of ${environment} in ${region}.`);
    return;
  }
  console.log(`Found in ${region} for ${environment}:`);
  const rows = parts.map(({ kind, name, content = '' }) => [kind, name, content]);
  console.log(textTable(['', 'name', ''], [...(stack === undefined ? [] : [['stack', stack, '']]), ...rows]));
}

async function confirmed({ env, confirm }: Options): Promise<void> {
  const typed = confirm ?? (process.stdin.isTTY ? await ask(env) : undefined);
  if (typed === env) return;
  throw new RefusedError(
    typed === undefined
      ? `To remove ${env} permanently, confirm its name: --env ${env} --confirm ${env}. Nothing was changed.`
      : `“${typed}” is not ${env}. Nothing was changed.`,
  );
}

async function ask(environment: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (
      await terminal.question(`All of this will be removed permanently. Type ${environment} to confirm: `)
    ).trim();
  } finally {
    terminal.close();
  }
}
