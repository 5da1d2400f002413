import { CloudFormation, type Stack } from '@aws-sdk/client-cloudformation';
import { Lambda } from '@aws-sdk/client-lambda';
import { environmentStack } from '../../cli/target/environment-stack.ts';
import type { DeploySettings } from './deploy-settings.ts';
import type { Parameters } from './version-hash.ts';

const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** Returns the live version; undefined before the first deployment. */
export async function liveVersion({ environment, region }: DeploySettings): Promise<string | undefined> {
  const lambda = new Lambda({ requestHandler: TIME_LIMITS, ...(region !== undefined && { region }) });
  try {
    const { FunctionVersion: version } = await lambda.getAlias({
      FunctionName: functionName(environment),
      Name: 'live',
    });
    return version;
  } catch (error) {
    if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

/** Returns the base URL of the deployed API. */
export async function deployedApi({ stackName, region }: DeploySettings): Promise<string> {
  return (await environmentStack(stackName, region)).output('ApiBaseUrl');
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

/** Returns the command that makes a previous version live again, without another deployment. */
export function rollbackCommand({ environment, region }: DeploySettings, version: string): string {
  const where = region === undefined ? '' : ` --region ${region}`;
  return `aws lambda update-alias --function-name ${functionName(environment)} --name live --function-version ${version}${where}`;
}

function functionName(environment: string): string {
  return `autowatering-backend-${environment}`;
}
