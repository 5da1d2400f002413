import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { UsageError } from '../plain-error.ts';
import { SAM_CONFIG, samSettings } from './sam-config.ts';

export interface AwsOptions {
  readonly env?: string;
  readonly region?: string;
  readonly profile?: string;
  /** Another samconfig.toml. */
  readonly config?: string;
}

/** Stack and region that a command works on. */
export interface AwsPlace {
  readonly stackName: string | undefined;
  readonly region: string;
  /** Region and credentials with their sources, for display. */
  readonly text: string;
}

/**
 * Resolves region and profile, with the same precedence in all commands: the flag, then samconfig.toml's entry for the
 * environment, then environment variables, then the profile's configuration. The file precedes the variables, so that a
 * shell set up for another project can't redirect an environment.
 *
 * The result is written to this process's environment variables, so that all clients and child processes, including SAM
 * and the AWS CLI, use the same region and credentials.
 *
 * @throws UsageError if there is no region
 */
export async function settleAws({ env, region, profile, config = SAM_CONFIG }: AwsOptions): Promise<AwsPlace> {
  const settings = env === undefined ? undefined : await samSettings(env, config);
  const variables = process.env;
  const chosenProfile = firstOf([
    [profile, '--profile'],
    [settings?.profile, 'samconfig.toml'],
    [variables['AWS_PROFILE'], 'AWS_PROFILE'],
  ]);
  if (chosenProfile !== undefined) {
    variables['AWS_PROFILE'] = chosenProfile.value;
    // If both were set, the SDK would use the profile and SAM the keys.
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) delete variables[name];
  }
  const ofShell = firstOf([
    [variables['AWS_REGION'], 'AWS_REGION'],
    [variables['AWS_DEFAULT_REGION'], 'AWS_DEFAULT_REGION'],
  ]);
  const chosenRegion =
    firstOf([
      [region, '--region'],
      [settings?.region, 'samconfig.toml'],
    ]) ??
    ofShell ??
    (await regionOfProfile());
  variables['AWS_REGION'] = chosenRegion.value;
  variables['AWS_DEFAULT_REGION'] = chosenRegion.value;
  const other =
    ofShell === undefined || ofShell.value === chosenRegion.value ? '' : `, overriding ${ofShell.by}=${ofShell.value}`;
  return {
    stackName: settings?.stackName,
    region: chosenRegion.value,
    text: `region ${chosenRegion.value} from ${chosenRegion.by}${other}, ${credentialsText(chosenProfile)}`,
  };
}

interface Chosen {
  readonly value: string;
  readonly by: string;
}

function firstOf(candidates: readonly (readonly [string | undefined, string])[]): Chosen | undefined {
  for (const [value, by] of candidates) if (value !== undefined && value !== '') return { value, by };
  return undefined;
}

function credentialsText(profile: Chosen | undefined): string {
  if (profile !== undefined) return `profile ${profile.value} from ${profile.by}`;
  return process.env['AWS_ACCESS_KEY_ID'] ? 'keys from AWS_ACCESS_KEY_ID' : 'default credentials';
}

async function regionOfProfile(): Promise<Chosen> {
  try {
    return { value: await new CloudFormation({}).config.region(), by: 'the AWS configuration' };
  } catch {
    throw new UsageError('No AWS region: pass --region, set it in samconfig.toml, or set AWS_REGION.');
  }
}
