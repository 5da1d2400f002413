import type { Command } from 'commander';
import { systemOptions, yesOption } from './system-options.ts';

/** The options that say whose tables a command works on. */
export function tableOptions(command: Command): Command {
  return yesOption(systemOptions(command)).option('--dynamodb-url <url>', 'DynamoDB somewhere else');
}

/** The same, and whose bucket. */
export function placeOptions(command: Command): Command {
  return tableOptions(command)
    .option('--bucket <name>', 'its bucket (default: the stack’s output ArtifactBucketName)')
    .option('--s3-url <url>', 'S3 somewhere else');
}
