import type { Command } from 'commander';
import { environmentName } from './environment-name.ts';

/** The options that say whose tables a command works on. */
export function tableOptions(command: Command): Command {
  return command
    .option('--env <name>', 'the environment in AWS (default: the stack that runs here)', environmentName)
    .option('--region <name>', 'its region (default: that of the caller’s configuration)')
    .option('--stack <directory>', 'directory of the local stack')
    .option('--dynamodb-url <url>', 'DynamoDB somewhere else');
}

/** The same, and whose bucket. */
export function placeOptions(command: Command): Command {
  return tableOptions(command)
    .option('--bucket <name>', 'its bucket: the stack’s output ArtifactBucketName')
    .option('--s3-url <url>', 'S3 somewhere else');
}
