import type { Command } from 'commander';
import { systemOptions, yesOption } from './system-options.ts';

/** Adds the options of commands that work on tables. */
export function tableOptions(command: Command): Command {
  return yesOption(systemOptions(command)).option('--dynamodb-url <url>', 'another DynamoDB endpoint');
}

/** Adds the options of commands that work on tables and bucket. */
export function placeOptions(command: Command): Command {
  return tableOptions(command)
    .option('--bucket <name>', 'the bucket (default: the stack’s output ArtifactBucketName)')
    .option('--s3-url <url>', 'another S3 endpoint');
}
