import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { PlainError } from '../plain-error.ts';

const TIME_LIMITS = { connectionTimeout: 3_000, requestTimeout: 10_000, throwOnRequestTimeout: true };

type OutputName = 'ApiBaseUrl' | 'ArtifactBucketName' | 'RelayUrl';

/** The CloudFormation stack of a deployed environment. */
export interface EnvironmentStack {
  readonly account: string;
  /** @throws PlainError if the stack has no such output */
  output(name: OutputName): string;
  /** Returns undefined if the stack has no such output. */
  find(name: OutputName): string | undefined;
}

/** @throws PlainError if there is no such stack */
export async function environmentStack(stackName: string, region: string | undefined): Promise<EnvironmentStack> {
  const client = new CloudFormation({ requestHandler: TIME_LIMITS, ...(region !== undefined && { region }) });
  const { Stacks: [stack] = [] } = await client.describeStacks({ StackName: stackName }).catch((error: unknown) => {
    const isMissing = error instanceof Error && error.name === 'ValidationError' && /not exist/.test(error.message);
    throw isMissing ? new PlainError(missingText(stackName, region)) : error;
  });
  if (stack === undefined) throw new PlainError(missingText(stackName, region));
  const find = (name: OutputName) => stack.Outputs?.find(({ OutputKey: key }) => key === name)?.OutputValue;
  return {
    account: stack.StackId?.split(':')[4] ?? 'unknown',
    find,
    output(name) {
      const value = find(name);
      if (value === undefined) throw new PlainError(`The stack ${stackName} has no output ${name}.`);
      return value;
    },
  };
}

function missingText(stackName: string, region = 'this region'): string {
  return `There is no stack ${stackName} in ${region}. Is it deployed there, and are the credentials for its account?`;
}
