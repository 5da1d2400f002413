import type { Command } from 'commander';
import { environmentName } from './environment-name.ts';

/** The options that name the system a command works on: an environment in AWS, or the stack of this machine. */
export function systemOptions(command: Command): Command {
  return awsOptions(command.option('--env <name>', 'the environment in AWS: dev, staging, prod, …', environmentName))
    .option('--local', 'the stack that runs on this machine (on a terminal the default)')
    .option('--stack <directory>', 'the local stack of that directory');
}

/** Where in AWS; one rule for all commands. */
export function awsOptions(command: Command): Command {
  return command
    .option('--region <name>', 'its region (default: samconfig.toml’s, else AWS_REGION)')
    .option('--profile <name>', 'the AWS profile to use (default: samconfig.toml’s, else AWS_PROFILE)');
}

/** For commands that can change something. */
export function yesOption(command: Command): Command {
  return command.option('--yes', 'does not ask before it changes prod');
}

/** The options of a command that talks HTTP: the system, by its address too. */
export function apiOptions(command: Command): Command {
  return systemOptions(command).option('--api, --api-base-url <url>', 'any API by its address (default: API_BASE_URL)');
}
