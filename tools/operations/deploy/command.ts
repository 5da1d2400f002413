import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { Command } from 'commander';
import { checkTemplate } from '../../build/template/check-template.ts';
import { readTemplate, type Template } from '../../build/template/template.ts';
import { runOwnTool, runProgram } from '../../cli/bundle/run-program.ts';
import { PlainError } from '../../cli/plain-error.ts';
import { runCommand } from '../../cli/run-command.ts';
import { settleAws } from '../../cli/target/aws-place.ts';
import { environmentName } from '../../cli/target/environment-name.ts';
import { SAM_CONFIG } from '../../cli/target/sam-config.ts';
import { sayWhere } from '../../cli/target/say-where.ts';
import { awsOptions } from '../../cli/target/system-options.ts';
import { DRILL_TAG, isDrillName } from '../drill/drill-guard.ts';
import { secretFaults } from '../secrets/secret-changes.ts';
import { secretPlace } from '../secrets/secret-place.ts';
import { type DeploySettings, deploySettings } from './deploy-settings.ts';
import { deployedApi, deployedParameters, liveVersions, rollbackCommands } from './stack-facts.ts';
import { bundleHash, parametersInForce, VERSION_PARAMETER, versionHash } from './version-hash.ts';
import { wayBack } from './way-back.ts';

interface Options {
  readonly env: string;
  readonly region?: string;
  readonly profile?: string;
  readonly parameter: readonly string[];
  readonly config: string;
  readonly confirm: boolean;
  readonly dryRun: boolean;
}

await runCommand((signal) =>
  awsOptions(new Command('npm run deploy --'))
    .description(
      'Deploys this checkout to an environment: checks, builds, deploys, migrates and runs the smoke test. If a step ' +
        'after the deployment fails, it prints the rollback command.',
    )
    .requiredOption('--env <name>', 'the environment', environmentName)
    .option(
      '--parameter <name=value>',
      'a parameter of template.yaml, overrides samconfig.toml; can be repeated',
      collect,
      [],
    )
    .option('--config <file>', 'the settings of each environment', SAM_CONFIG)
    .option('--confirm', 'show the changes and ask before applying them', false)
    .option('--dry-run', 'check parameters, template and secret, and print the steps without running them', false)
    .addHelpText(
      'after',
      '\nParameters that differ between accounts can also be set in DEPLOY_PARAMETERS, separated by spaces.\n' +
        '\nExamples:\n  npm run deploy -- --env dev --parameter UserPoolId=… --parameter UserPoolClientIds=…\n' +
        '  npm run deploy -- --env prod --confirm\n  npm run deploy -- --env staging --dry-run\n',
    )
    .action((options: Options) => deploy(options, signal)),
);

function root(): string {
  return fileURLToPath(new URL('../../..', import.meta.url));
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

async function deploy(options: Options, signal: AbortSignal): Promise<void> {
  const fromVariable = (process.env['DEPLOY_PARAMETERS'] ?? '').split(/\s+/).filter((one) => one !== '');
  const given = [...fromVariable, ...options.parameter];
  const aws = await settleAws(options);
  const template = await readTemplate();
  const settings = await deploySettings(options.env, aws.region, given, template, options.config);
  const where = settings.region === undefined ? [] : ['--region', settings.region];
  const step = async (title: string, work: () => Promise<void>) => {
    signal.throwIfAborted();
    console.log(`\n${styleText('bold', `— ${title}`, { stream: process.stdout })}`);
    await work();
  };

  // No confirmation for prod here, unlike in other commands: --confirm asks after showing the changes.
  await sayWhere(options.env, `in AWS (${aws.text})`, { changes: !options.dryRun, yes: true });
  await step('Checking the template', () => templateIsGood(signal));
  await step('Checking the secret', () => secretIsWhole(settings));
  if (options.dryRun) {
    console.log(
      `\nDry run, nothing was changed. Next steps: build, then sam ${samArguments(settings, options).join(' ')}`,
    );
    console.log(`${VERSION_PARAMETER} is the hash of code and settings: when either changes, a new version goes live.`);
    console.log('After that: migrate the data and run the smoke test.');
    return;
  }
  const before = await liveVersions(settings);
  await step('Building', () => runProgram('sam', ['build'], signal));
  await step(`Deploying ${settings.stackName}`, async () => {
    const version = await nextVersion(settings, template);
    await runProgram('sam', samArguments(settings, options, version), signal);
  });
  const { api, relay } = await deployedApi(settings);
  try {
    await step('Migrating', () => runOwnTool('migrate', ['up', '--env', options.env, ...where, '--yes'], signal));
    await step(`Testing ${api}`, () => runOwnTool('smoke', ['--api-base-url', api, '--relay-url', relay], signal));
  } catch (error) {
    signal.throwIfAborted();
    throw new PlainError(wayBack(error, settings, before));
  }
  console.log(`\n${options.env} is deployed: ${api}, relay ${relay}`);
  const back = rollbackCommands(settings, before);
  if (back.length > 0) console.log(`To roll back to the previous version:\n  ${back.join('\n  ')}`);
}

/** Returns the hash of the version to deploy; the same when neither code nor settings have changed. */
async function nextVersion(settings: DeploySettings, template: Template): Promise<string> {
  const [code, deployed] = await Promise.all([bundleHash(), deployedParameters(settings)]);
  return versionHash(code, template, parametersInForce(template, deployed, settings.parameters));
}

function samArguments(
  { environment, stackName, region, parameters }: DeploySettings,
  { confirm }: Options,
  version = '<hash>',
): readonly string[] {
  return [
    ...['deploy', '--stack-name', stackName, '--resolve-s3', '--s3-prefix', stackName],
    ...['--capabilities', 'CAPABILITY_IAM', '--no-fail-on-empty-changeset'],
    confirm ? '--confirm-changeset' : '--no-confirm-changeset',
    ...(region === undefined ? [] : ['--region', region]),
    // "npm run drill" only removes stacks with this tag.
    ...(isDrillName(environment) ? ['--tags', `${DRILL_TAG.key}=${DRILL_TAG.value}`] : []),
    '--parameter-overrides',
    ...Object.entries({ ...parameters, [VERSION_PARAMETER]: version }).map(([name, value]) => `${name}=${value}`),
  ];
}

async function templateIsGood(signal: AbortSignal): Promise<void> {
  const results = await checkTemplate(path.join(root(), 'template.yaml'), signal);
  const faults = results.flatMap(({ name, faults: found }) => found.map((fault) => `  ${name}: ${fault}`));
  if (faults.length > 0) throw new PlainError(`template.yaml has faults:\n${faults.join('\n')}`);
  const absent = results.filter(({ outcome }) => outcome === 'absent').map(({ name }) => name);
  console.log(`No faults${absent.length === 0 ? '' : `; skipped, not installed: ${absent.join(', ')}`}.`);
}

async function secretIsWhole({ environment, region }: DeploySettings): Promise<void> {
  const place = secretPlace(environment, region);
  const faults = secretFaults((await place.read()) ?? {}, environment);
  if (faults.length === 0) {
    console.log(`${place.name} is complete.`);
    return;
  }
  const command = `npm run secrets:bootstrap -- --env ${environment}`;
  throw new PlainError(`${place.name}:\n${faults.map((fault) => `  ${fault}`).join('\n')}\nFix it with "${command}".`);
}
