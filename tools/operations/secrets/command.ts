import { Command, InvalidArgumentError } from 'commander';
import { PlainError, UsageError } from '../../cli/plain-error.ts';
import { InterruptedError, runCommand } from '../../cli/run-command.ts';
import { settleAws } from '../../cli/target/aws-place.ts';
import { environmentName } from '../../cli/target/environment-name.ts';
import { sayWhere } from '../../cli/target/say-where.ts';
import { awsOptions, yesOption } from '../../cli/target/system-options.ts';
import { textTable } from '../../cli/terminal/text-table.ts';
import { type Changes, changedSecret, secretFaults, standingIn } from './secret-changes.ts';
import { isSecretName, SECRET_NAMES, type SecretName, secretKey } from './secret-keys.ts';
import { secretPlace } from './secret-place.ts';

interface Options {
  readonly env: string;
  readonly region?: string;
  readonly profile?: string;
  readonly yes?: boolean;
  readonly rotate: readonly SecretName[];
  readonly retire: readonly SecretName[];
  readonly drop: readonly SecretName[];
  readonly check: boolean;
  readonly json: boolean;
}

await runCommand((signal) =>
  yesOption(awsOptions(new Command('npm run secrets:bootstrap --')))
    .description(
      'Creates or completes the secret of an environment. Keeps existing entries unless rotated, and never prints ' +
        'values. Tokens and the salt are generated. Keys of other services are read from environment variables of ' +
        'the same name, or asked for.',
    )
    .requiredOption('--env <name>', 'the environment', environmentName)
    .option('--rotate <key>', 'give an entry a new value; can be repeated', collect, [])
    .option('--retire <key>', 'remove the old value of a rotated entry; can be repeated', collect, [])
    .option(
      '--drop <key>',
      'with --rotate: remove the oldest value of an entry that has two; can be repeated',
      collect,
      [],
    )
    .option('--check', 'list all faults and write nothing', false)
    .option('--json', 'JSON, for machines; never asks', false)
    .addHelpText(
      'after',
      `\nEntries: ${SECRET_NAMES.join(', ')}\n` +
        '\nExamples:\n  npm run secrets:bootstrap -- --env dev\n' +
        '  npm run secrets:bootstrap -- --env prod --rotate FACTORY_PROVISION_TOKEN\n' +
        '  npm run secrets:bootstrap -- --env prod --retire FACTORY_PROVISION_TOKEN\n' +
        '  npm run secrets:bootstrap -- --env prod --check\n' +
        '\nTo read a value, use Secrets Manager: aws secretsmanager get-secret-value.\n',
    )
    .action((options: Options) => bootstrap(options, signal)),
);

function collect(name: string, before: readonly SecretName[]): readonly SecretName[] {
  if (!isSecretName(name)) throw new InvalidArgumentError(`Expected one of ${SECRET_NAMES.join(', ')}.`);
  return [...before, name];
}

async function bootstrap(options: Options, signal: AbortSignal): Promise<void> {
  const unrotated = options.drop.filter((name) => !options.rotate.includes(name));
  if (unrotated.length > 0) throw new UsageError(`--drop ${unrotated[0]} needs --rotate ${unrotated[0]}.`);
  const aws = await settleAws(options);
  await sayWhere(options.env, `by its secret in AWS (${aws.text})`, {
    ...{ changes: !options.check, yes: options.yes, signal },
  });
  const place = secretPlace(options.env, aws.region);
  const current = await place.readCurrent();
  if (options.check) {
    checkOnly(
      place.name,
      secretFaults(current?.content ?? {}, options.env),
      standingIn(current?.content ?? {}),
      options,
    );
    return;
  }
  const changes = await changedSecret(current?.content ?? {}, {
    ...{ environment: options.env, rotate: options.rotate, retire: options.retire, drop: options.drop },
    given: (name) => givenValue(name, options),
  });
  if (current === undefined) await place.create(changes.content);
  else if (Object.keys(changes.done).length > 0) await place.replace(changes.content, current);
  show(place.name, changes, options);
}

function checkOnly(name: string, faults: readonly string[], later: readonly SecretName[], { json }: Options): void {
  if (json) console.log(JSON.stringify({ secret: name, faults, later }));
  if (faults.length > 0) throw new PlainError(`${name}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
  if (!json) console.log(`${name} is complete.${later.map((key) => `\n${laterText(key)}`).join('')}`);
}

async function givenValue(name: SecretName, { json }: Options): Promise<string | undefined> {
  const set = process.env[name]?.trim();
  if (set !== undefined && set !== '') return set;
  if (json || process.stdin.isTTY !== true || process.stdout.isTTY !== true) return undefined;
  const { default: password } = await import('@inquirer/password');
  const message = `${name} (${secretKey(name).purpose}); leave empty to set it later:`;
  const typed = await password({ message, mask: true, toggleMask: false }).catch((error: unknown) => {
    // The prompt's error for Ctrl-C.
    if (error instanceof Error && error.name === 'ExitPromptError') throw new InterruptedError('stopped');
    throw error;
  });
  return typed.trim() === '' ? undefined : typed.trim();
}

function laterText(key: SecretName): string {
  return `${key} is not known yet; a placeholder that accepts nothing is stored. Set it with --rotate ${key}.`;
}

function show(name: string, { content, done, missing }: Changes, { json }: Options): void {
  if (json) {
    console.log(JSON.stringify({ secret: name, done, missing }));
    return;
  }
  const rows = SECRET_NAMES.map((key) => [key, done[key] ?? (missing.includes(key) ? 'missing' : 'unchanged')]);
  console.log(textTable([name, ''], rows));
  if (missing.length > 0) {
    console.log(`\nMissing: ${missing.join(', ')}. Set environment variables with these names and run it again.`);
  }
  for (const key of standingIn(content)) console.log(`\n${laterText(key)}`);
  for (const key of SECRET_NAMES.filter((one) => done[one] === 'rotated' && Array.isArray(content[one]))) {
    console.log(`\n${key}: both values are valid now. Once the old one is no longer in use: --retire ${key}`);
  }
}
