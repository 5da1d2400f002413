import { CloudFormation, type Stack } from '@aws-sdk/client-cloudformation';
import { Lambda } from '@aws-sdk/client-lambda';
import { environmentStack } from '../../cli/target/environment-stack.ts';
import type { DeploySettings } from './deploy-settings.ts';
import type { Parameters } from './version-hash.ts';

const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** The functions' names in AWS, without the environment. */
const FUNCTIONS = ['backend', 'relay'] as const;
export type LiveVersions = Readonly<Partial<Record<(typeof FUNCTIONS)[number], string>>>;

/** Returns the live version of each function; those that were never deployed are missing. */
export async function liveVersions({ environment, region }: DeploySettings): Promise<LiveVersions> {
  const lambda = new Lambda({ requestHandler: TIME_LIMITS, ...(region !== undefined && { region }) });
  const versions = await Promise.all(
    FUNCTIONS.map(async (name) => [name, await liveVersion(lambda, `autowatering-${name}-${environment}`)] as const),
  );
  return Object.fromEntries(versions.filter(([, version]) => version !== undefined));
}

async function liveVersion(lambda: Lambda, name: string): Promise<string | undefined> {
  try {
    const { FunctionVersion: version } = await lambda.getAlias({ FunctionName: name, Name: 'live' });
    return version;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** Returns the addresses of the deployed API and of the relay's WebSocket API. */
export async function deployedApi({ stackName, region }: DeploySettings): Promise<{ api: string; relay: string }> {
  const stack = await environmentStack(stackName, region);
  return { api: stack.output('ApiBaseUrl'), relay: stack.output('RelayUrl') };
}

/** Returns the stack's parameters as last deployed; empty before the first deployment. */
export async function deployedParameters(settings: DeploySettings): Promise<Parameters> {
  const parameters = (await deployedStack(settings))?.Parameters ?? [];
  return Object.fromEntries(
    parameters.flatMap(({ ParameterKey: name, ParameterValue: value }) =>
      name === undefined || value === undefined ? [] : [[name, value]],
    ),
  );
}

async function deployedStack({ stackName, region }: DeploySettings): Promise<Stack | undefined> {
  const cloudFormation = new CloudFormation({ requestHandler: TIME_LIMITS, ...(region !== undefined && { region }) });
  try {
    const { Stacks: stacks = [] } = await cloudFormation.describeStacks({ StackName: stackName });
    return stacks[0];
  } catch (error) {
    // CloudFormation has no dedicated error for a missing stack.
    if (error instanceof Error && error.name === 'ValidationError' && /does not exist/.test(error.message)) {
      return undefined;
    }
    throw error;
  }
}

/** Returns the commands that make previous versions live again, without another deployment. */
export function rollbackCommands({ environment, region }: DeploySettings, versions: LiveVersions): readonly string[] {
  const where = region === undefined ? '' : ` --region ${region}`;
  return Object.entries(versions).map(
    ([name, version]) =>
      `aws lambda update-alias --function-name autowatering-${name}-${environment} --name live --function-version ${version}${where}`,
  );
}
