import { Lambda } from '@aws-sdk/client-lambda';
import { environmentStack } from '../../cli/target/environment-stack.ts';
import type { DeploySettings } from './deploy-settings.ts';

const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

/** The version that answers requests now; undefined before the first deployment. */
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

/** Where the deployed API is reached. */
export async function deployedApi({ stackName, region }: DeploySettings): Promise<string> {
  return (await environmentStack(stackName, region)).output('ApiBaseUrl');
}

/** What brings the former version back at once, whatever else is broken. */
export function rollbackCommand({ environment, region }: DeploySettings, version: string): string {
  const where = region === undefined ? '' : ` --region ${region}`;
  return `aws lambda update-alias --function-name ${functionName(environment)} --name live --function-version ${version}${where}`;
}

function functionName(environment: string): string {
  return `autowatering-backend-${environment}`;
}
