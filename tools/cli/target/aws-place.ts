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

/** Where in AWS a command works. */
export interface AwsPlace {
  readonly stackName: string | undefined;
  readonly region: string;
  /** Region and credentials with where each comes from, for people. */
  readonly text: string;
}

/**
 * Settles region and profile, by one rule in all commands: the flag, then samconfig.toml's word about the environment,
 * then the caller's variables, then the profile's own configuration. The file comes before the variables, because a
 * shell that is set up for something else must not move an environment.
 *
 * The outcome is put into this process's variables, so that every client and every program started from here, SAM and
 * the AWS CLI among them, works in the same place.
 *
 * @throws UsageError when there is no region
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
    // With both set, the SDK takes the profile and SAM takes the keys.
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
    ofShell === undefined || ofShell.value === chosenRegion.value ? '' : `, not ${ofShell.by}’s ${ofShell.value}`;
  return {
    stackName: settings?.stackName,
    region: chosenRegion.value,
    text: `region ${chosenRegion.value} by ${chosenRegion.by}${other}, ${credentialsText(chosenProfile)}`,
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
  if (profile !== undefined) return `profile ${profile.value} by ${profile.by}`;
  return process.env['AWS_ACCESS_KEY_ID'] ? 'keys by AWS_ACCESS_KEY_ID' : 'default credentials';
}

async function regionOfProfile(): Promise<Chosen> {
  try {
    return { value: await new CloudFormation({}).config.region(), by: 'the AWS configuration' };
  } catch {
    throw new UsageError('No AWS region: pass --region, name it in samconfig.toml, or set AWS_REGION.');
  }
}
