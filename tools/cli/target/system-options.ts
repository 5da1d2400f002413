import type { Command } from 'commander';
import { environmentName } from './environment-name.ts';

/** Adds the options that name the target system: an environment in AWS, or the local stack. */
export function systemOptions(command: Command): Command {
  return awsOptions(command.option('--env <name>', 'the environment in AWS: dev, staging, prod, …', environmentName))
    .option('--local', 'the stack running on this machine (the default on a terminal)')
    .option('--stack <directory>', 'the local stack in this directory');
}

/** Adds the AWS options, which work the same in all commands. */
export function awsOptions(command: Command): Command {
  return command
    .option('--region <name>', 'the AWS region (default: from samconfig.toml, else AWS_REGION)')
    .option('--profile <name>', 'the AWS profile (default: from samconfig.toml, else AWS_PROFILE)');
}

/** Adds `--yes`, for commands that can change something. */
export function yesOption(command: Command): Command {
  return command.option('--yes', 'change prod without asking');
}

/** Adds the options of commands that call the API: the system, which can also be given by URL. */
export function apiOptions(command: Command): Command {
  return systemOptions(command).option('--api, --api-base-url <url>', 'any API, by its URL (default: API_BASE_URL)');
}
